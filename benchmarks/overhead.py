"""Says where the time of a run goes; run it by hand.

    python benchmarks/overhead.py strategy=entropy dataset=fashion_mnist recipe=plain threads=2 \
        budget.initial=500 budget.query=500 budget.total=3000 data_root=DATA cache=false

Runs the product's own command in a process of its own, with a stopwatch around what torch computes and
around the stages of the run. A moment counts for the innermost one. The total is that of the process,
from its start to its end, which the process before it measures.
"""

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

_FORWARD, _SCORING = "forward", "scoring: forward"
_COMPUTING = (_FORWARD, "backward", "step", _SCORING)
_ROOT = Path(__file__).resolve().parents[1]
_RESULT = "OVERHEAD_RESULT"


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

    from al_lightning.data.sources.base_source import BaseSource  # noqa: PLC0415
    from al_lightning.loop import loop  # noqa: PLC0415
    from al_lightning.models import ImageClassifier  # noqa: PLC0415
    from al_lightning.models.backbone import Halves  # noqa: PLC0415
    from al_lightning.models.pretrained.modes import PretrainedBackbone  # noqa: PLC0415
    from al_lightning.training.scoring import Scorer  # noqa: PLC0415

    ledger.watch(ImageClassifier, "forward", _FORWARD)
    ledger.watch(torch.nn.functional, "cross_entropy", _FORWARD)
    ledger.watch(torch.Tensor, "backward", "backward")
    for optimizer in (torch.optim.Adam, torch.optim.AdamW):
        ledger.watch(optimizer, "step", "step")
    for closure in AbstractClosure.__subclasses__():
        ledger.watch(closure, "__call__", "fit: rest")  # called by `step`
    for halves in (Halves, PretrainedBackbone, ImageClassifier):
        for half in ("embed", "classify"):
            ledger.watch(halves, half, lambda: _FORWARD if torch.is_grad_enabled() else _SCORING)
    ledger.watch(loop, "fit_once", "fit: rest")
    ledger.watch(Scorer, "evidence", "scoring: rest")
    ledger.watch(BaseSource, "load", "images read")
    ledger.watch(loop.ActiveLearningLoop, "_tell", "TensorBoard, sheets")
    ledger.watch(loop.ActiveLearningLoop, "run", "loop: metrics, selection, journal, checkpoints")


def main() -> None:
    """Print a table of seconds and shares."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "seconds.json"
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], f"output_root={folder}"],
            env={**os.environ, _RESULT: str(result), "PYTHONPATH": str(_ROOT)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        total = time.perf_counter() - start
        seconds: dict[str, float] = json.loads(result.read_text())
    seconds["start and end of the process"] = total - sum(seconds.values())
    print("| what | seconds | share |\n| --- | --- | --- |")
    for name, spent in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"| {name} | {spent:.2f} | {spent / total:.1%} |")
    computing = sum(seconds.get(name, 0.0) for name in _COMPUTING)
    print(f"| all | {total:.2f} | 100 % |")
    print(f"\nOutside of forward, backward and step: {1 - computing / total:.1%}")
    running = total - seconds["start: imports, configuration"]
    print(f"The same, once everything is imported: {1 - computing / running:.1%}")


if __name__ == "__main__":
    if _RESULT in os.environ:
        watched_run()
    else:
        main()
