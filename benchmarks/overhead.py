"""Says where the time of a run goes; run it by hand.

    python benchmarks/overhead.py [--threads 2]

Fashion-MNIST from AL_LIGHTNING_DATA, entropy, the CNN: "short" is the whole run of docs/performance.md
(recipe=plain, 500 + 5 x 500 labels), "default" three rounds of the default recipe. Runs the product's
own command in a process of its own, with a stopwatch around what torch computes and around the stages
of the run. A moment counts for the innermost one. The total is that of the process, from its start to
its end, which the process before it measures. Figures go to benchmarks/results/overhead.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from raw import record_part

_FORWARD, _SCORING = "forward", "scoring: forward"
_COMPUTING = (_FORWARD, "backward", "step", _SCORING)
_ROOT = Path(__file__).resolve().parents[1]
_RESULT = "OVERHEAD_RESULT"
_EVERY = ("dataset=fashion_mnist", "strategy=entropy", "cache=false", "budget.initial=500")
_RUNS = {
    "short": ("recipe=plain", "budget.query=500", "budget.total=3000"),
    "default": ("budget.query=500", "budget.total=1500"),
}


class Ledger:
    """Seconds by the innermost name that is open."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = time.perf_counter()

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        """Let time count for a name; for none outside of all."""
        self._book()
        self._open.append(name)
        try:
            yield
        finally:
            self._book()
            self._open.pop()

    def watch(self, owner: Any, attribute: str, name: str | Callable[[], str]) -> None:
        """Let the calls of a function count for a name."""
        function = getattr(owner, attribute)

        @wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            with self.during(name if isinstance(name, str) else name()):
                return function(*args, **kwargs)

        setattr(owner, attribute, watched)

    def _book(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now


def watched_run() -> None:
    """Run the command line of this process with stopwatches; write what they say."""
    ledger = Ledger()
    try:
        with ledger.during("start: imports, configuration"):
            from al_lightning.cli import app as command  # noqa: PLC0415
            from al_lightning.utils.process import freeze_imports_from_gc, prepare_process  # noqa: PLC0415

            prepare_process()
            with freeze_imports_from_gc():  # as the command would
                watch_everything(ledger)
            command.main()
    finally:
        Path(os.environ[_RESULT]).write_text(json.dumps(ledger.seconds))


def watch_everything(ledger: Ledger) -> None:
    """Put stopwatches around what computes, and around the stages of a run."""
    import torch  # noqa: PLC0415
    from lightning.pytorch.loops.optimization.closure import AbstractClosure  # noqa: PLC0415

    from al_lightning.callbacks.loop_callback import CallbackList  # noqa: PLC0415
    from al_lightning.data.sources.base_source import BaseSource  # noqa: PLC0415
    from al_lightning.loop import loop  # noqa: PLC0415
    from al_lightning.models import ImageClassifier  # noqa: PLC0415
    from al_lightning.models.halves import Halves  # noqa: PLC0415
    from al_lightning.models.pretrained.modes import PretrainedBackbone  # noqa: PLC0415
    from al_lightning.training import fits  # noqa: PLC0415
    from al_lightning.training.muon import MuonAdamW  # noqa: PLC0415
    from al_lightning.training.scoring import Scorer  # noqa: PLC0415

    ledger.watch(ImageClassifier, "forward", _FORWARD)
    ledger.watch(torch.nn.functional, "cross_entropy", _FORWARD)
    ledger.watch(torch.Tensor, "backward", "backward")
    for optimizer in (torch.optim.Adam, torch.optim.AdamW, MuonAdamW):
        ledger.watch(optimizer, "step", "step")
    for closure in AbstractClosure.__subclasses__():
        ledger.watch(closure, "__call__", "fit: rest")  # called by `step`
    for halves in (Halves, PretrainedBackbone, ImageClassifier):
        for half in ("embed", "classify"):
            ledger.watch(halves, half, lambda: _FORWARD if torch.is_grad_enabled() else _SCORING)
    ledger.watch(fits, "fit_watched", "fit: rest")
    ledger.watch(Scorer, "evidence", "scoring: rest")
    ledger.watch(BaseSource, "load", "images read")
    for stage in ("on_run_start", "on_fit_end", "on_round_end", "on_query", "on_run_end"):
        ledger.watch(CallbackList, stage, "TensorBoard, sheets, advice")
    ledger.watch(loop.ActiveLearningLoop, "run", "loop: metrics, selection, journal, checkpoints")


def main() -> None:
    """Print and keep the seconds of both runs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", nargs="+", choices=_RUNS, default=list(_RUNS))
    given = parser.parse_args()
    for name in given.runs:
        seconds = measured([*_EVERY, *_RUNS[name], f"threads={given.threads}"])
        total = sum(seconds.values())
        outside = 1 - sum(seconds.get(key, 0.0) for key in _COMPUTING) / total
        print(f"{name}: {total:.1f} s, outside of forward, backward and step {outside:.1%}")
        for what, spent in seconds.items():
            print(f"  {spent:7.2f} s {spent / total:6.1%}  {what}")
        record_part("overhead", name, seconds)


def measured(arguments: list[str]) -> dict[str, float]:
    """Return the seconds of a run, by what they were spent on, most first."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "seconds.json"
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, __file__, *arguments, f"output_root={folder}"],
            env={**os.environ, _RESULT: str(result), "PYTHONPATH": str(_ROOT)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        total = time.perf_counter() - start
        seconds: dict[str, float] = json.loads(result.read_text())
    seconds["start and end of the process"] = total - sum(seconds.values())
    by_size = sorted(seconds.items(), key=lambda item: -item[1])
    return {what: round(spent, 2) for what, spent in by_size}


if __name__ == "__main__":
    if _RESULT in os.environ:
        watched_run()
    else:
        main()
