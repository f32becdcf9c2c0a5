"""Raw results of benchmarks, as files that `python -m benchmarks.tables` makes tables from."""

import json
import subprocess
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def record(name: str, results: Any) -> None:
    """Write results/NAME.json: the results, and the commit that they are of."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=RESULTS,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    text = json.dumps({"commit": commit, "results": results}, indent=1)
    (RESULTS / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def record_part(name: str, part: str, results: Any) -> None:
    """Write the results of one part; those of the others stay."""
    record(name, {**(recorded(name) or {}), part: results})


def recorded(name: str) -> Any:
    """Return the results in results/NAME.json; None where there are none yet."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))["results"] if path.exists() else None
