"""Times what is waited for before anything is computed, in turns; run it by hand.

    python benchmarks/startup.py [--repeats 5]

Each row is a process of its own, from its start to its end; the last one ends with the first training
step of `python -m al_lightning` on digits.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from raw import record

_ROOT = Path(__file__).resolve().parents[1]
_COMPLETED = "al_lightning strategy="
_LEAVES_AT_FIRST_STEP = "--leave-at-first-step"


def commands(folder: str) -> dict[str, list[str]]:
    """Return what is timed, by what it is called."""
    product = ["-m", "al_lightning"]
    return {
        "python itself": ["-c", "pass"],
        "`--help`": [*product, "--help"],
        "`--cfg job`": [*product, "--cfg", "job"],
        "tab completion": [*product, "-sc", "query=bash"],
        "`import torch`": ["-c", "import torch"],
        "`import lightning`": ["-c", "import lightning"],
        "to the first step on digits": [__file__, _LEAVES_AT_FIRST_STEP, f"output_root={folder}"],
    }


def leave_at_first_step(arguments: list[str]) -> None:
    """Run the product's command, and end the process as soon as a step has been trained."""
    from al_lightning.cli import app as command  # noqa: PLC0415
    from al_lightning.utils.process import freeze_imports_from_gc, prepare_process  # noqa: PLC0415

    prepare_process()
    with freeze_imports_from_gc():  # as the command would
        from lightning.pytorch.loops.optimization import automatic  # noqa: PLC0415

        from al_lightning.loop import loop  # noqa: F401, PLC0415
    step = automatic._AutomaticOptimization.run

    def run(*positional: Any, **named: Any) -> Any:
        step(*positional, **named)
        os._exit(0)

    automatic._AutomaticOptimization.run = run  # type: ignore[method-assign]
    sys.argv[1:] = [*arguments, "cache=false"]
    command.main()


def main() -> None:
    """Print medians of seconds, by the clock and of the processor."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "COMP_LINE": _COMPLETED}
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for name, command in commands(folder).items():
                start, before = time.perf_counter(), os.times()
                subprocess.run(
                    [sys.executable, *command],
                    env=environment,
                    cwd=folder,
                    capture_output=True,
                    check=True,
                )
                after = os.times()
                computed = after.children_user + after.children_system
                computed -= before.children_user + before.children_system
                found.setdefault(name, []).append((time.perf_counter() - start, computed))
    record("startup", found)
    print("| what | seconds | CPU seconds |\n| --- | --- | --- |")
    for name, times in found.items():
        cells = (f"{statistics.median(column):.2f}" for column in zip(*times, strict=True))
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    if sys.argv[1:2] == [_LEAVES_AT_FIRST_STEP]:
        leave_at_first_step(sys.argv[2:])
    else:
        main()
