"""Makes the tables of docs/ anew.

    python -m benchmarks.tables            # writes what differs, and names the pages
    python -m benchmarks.tables --check    # writes nothing; exits with 1 where a table differs

Where there are no results yet, it names the script.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.tables import TABLES, with_tables

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables, or compare them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(arguments).check
    differing = 0
    for page in sorted((ROOT / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if (made := with_tables(text)) == text:
            continue
        differing += 1
        print(page.relative_to(ROOT))
        if not check:
            page.write_text(made, encoding="utf-8")
    for make in TABLES.values():
        try:
            make()
        except FileNotFoundError:
            print(f"No raw results yet: {make.__doc__}")
    return int(check and differing > 0)


if __name__ == "__main__":
    sys.exit(main())
