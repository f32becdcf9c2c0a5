"""What a person at the terminal sees of a run."""

import errno
import shlex
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lightning.pytorch.callbacks import Callback
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from al_lightning.callbacks.end_of_run import (
    last_accuracies,
    next_steps,
    results_table,
    shown_interval,
)
from al_lightning.callbacks.inner_progress import InnerBar, InnerLines
from al_lightning.callbacks.loop_callback import LoopCallback, RoundResult
from al_lightning.data.project.known_project import ImageUpdate
from al_lightning.data.source import ImageData
from al_lightning.run.budget import Budget
from al_lightning.run.class_change import ClassChange
from al_lightning.run.curve import area_under_budget_curve, rounds_of_curve
from al_lightning.run.journal import Journal
from al_lightning.run.pool import Pool
from al_lightning.run.project import Setting
from al_lightning.utils.listing import shortened

_NAMED = 10  # classes or images in a message


class RunConsole(Console):
    """A console that raises where its output is closed, such as by ``head``."""

    def on_broken_pipe(self) -> None:
        """Raise; rich would leave with the exit status of a failure."""
        raise BrokenPipeError(errno.EPIPE, "the output was closed")


class ConsoleProgress(LoopCallback):
    """Shows rounds outside, epochs and passes inside; a line a round; a table at the end.

    Used as a context manager, so that the terminal is whole again after an error.

    Args:
        console: Where to.
        title: What the run is called.
        budget: Says how many rounds there will be.
        folder: Where the run's files are.
        bars: Whether to show progress bars; only lines without a terminal.
        named_lines: Whether each line says whose it is, since other runs print beside this one.
    """

    def __init__(
        self,
        console: Console,
        title: str,
        budget: Budget,
        folder: Path,
        bars: bool,
        named_lines: bool = False,
    ) -> None:
        self._console = console
        self._title = title = escape(title)
        self._whose = f"{title}: " if named_lines else ""
        self._budget = budget
        self._folder = folder
        self._progress = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not bars,
        )
        self._began = self._last_line = time.monotonic()
        self._rounds: TaskID | None = None
        self._fitted = False  # whether anything was, in this process
        self._classes: tuple[str, ...] = ()
        self._tested = 0  # images
        self._given = 0  # labels that came with the images
        self._labels = 0  # that may be bought

    def __enter__(self) -> Self:
        """Start the bars."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Clear the bars away."""
        self._progress.stop()

    def trainer_callbacks(self) -> list[Callback]:
        """Return the callbacks by which a trainer shows how far it is: a bar, or a line a minute.

        None where other runs print beside this one.
        """
        if not self._progress.disable:
            return [InnerBar(self._progress)]
        return [] if self._whose else [InnerLines(lambda line: self._console.print(f"  {line}"))]

    def on_run_start(self, journal: Journal, data: ImageData) -> None:
        """Print that the run begins or continues."""
        self._classes, self._tested = data.classes, len(data.test)
        self._given = journal.given_labels(len(data.given_ids))
        self._labels = self._budget.limit(len(data.train), self._given)
        channels, height, width = data.image_shape
        self._console.print(
            f"[bold]{self._title}[/]: {len(data.train):,} images to learn from, {len(data.test):,} to "
            f"test on, {channels}x{height}x{width}, {len(data.classes)} classes"
        )
        done = len(journal.rounds)
        if done:
            bought = journal.rounds[-1]["labels_bought"]
            self._console.print(
                f"{self._whose}Continuing after round {done - 1}, {bought:,} labels bought"
            )
        total = _count_rounds(self._budget, len(data.train), self._given)
        self._rounds = self._progress.add_task("rounds", total=total, completed=done)

    def on_fit_start(self, index: int, pool: Pool) -> None:
        """Say which round is being fitted."""
        self._fitted = True
        if self._rounds is not None:
            self._progress.update(
                self._rounds, description=f"round {index}, {pool.labels_bought:,} labels"
            )

    def on_round_end(self, result: RoundResult) -> None:
        """Print a line, and move the outer bar.

        The line says how long the round took just now. The journal, and the table at the end, have what
        it costs, also where its fit came from a cache.
        """
        waited, self._last_line = time.monotonic() - self._last_line, time.monotonic()
        self._console.print(
            f"{self._whose}round {result.index:>2}  {result.event['labels_bought']:>7,} labels  "
            f"{self._measured(result)}{waited:6.1f} s"
        )
        if (step := result.event.get("diverged_at_step")) is not None:
            self._note(
                f"the first fit diverged at step {step}; this is the second, with the fallback"
            )
        seen = set(result.pool.labels.tolist())
        if missing := [name for label, name in enumerate(self._classes) if label not in seen]:
            shown = escape(", ".join(shortened(missing, _NAMED)))
            self._note(f"{len(missing)} class(es) have no label yet: {shown}")
        if self._rounds is not None:
            left = self._labels - result.event["labels_bought"]
            to_come = self._budget.count_queries(left, result.index, self._given)
            total = result.index + 1 + to_come
            self._progress.update(self._rounds, completed=result.index + 1, total=total)

    def advise(self, sentences: Sequence[str]) -> None:
        """Print advice below the line of a round."""
        for sentence in sentences:
            line = f"{self._whose}          {escape(sentence)}"
            self._console.print(line, style="dim", soft_wrap=True, highlight=False)

    def on_setting(self, setting: Setting) -> None:
        """Print the change."""
        self._console.print(f"{self._whose}{escape(str(setting))}, from here on")

    def on_correction(self, labels: Mapping[int, int]) -> None:
        """Print how many labels were corrected."""
        self._console.print(
            f"{self._whose}{len(labels)} label(s) corrected; the next fit uses them"
        )

    def on_classes(self, change: ClassChange, data: ImageData) -> None:
        """Print the change."""
        self._classes = data.classes
        self._console.print(f"{self._whose}Classes: {escape(str(change))}")

    def on_images(self, update: ImageUpdate, to_review: Collection[int]) -> None:
        """Print what has come and gone, and name images that have gone, or labels to look at again."""
        change = update.change
        if not str(change):
            return
        self._console.print(f"{self._whose}Images since the last start: {change}")
        doubtful = [i for i in change.changed if i in to_review]
        for what, ids in (("Set aside", change.gone), ("Changed, to be reviewed", doubtful)):
            named = shortened([f"{update.names[i]} (id {i})" for i in ids], _NAMED)
            if named:
                self._console.print(f"{self._whose}  {what}: {escape(', '.join(named))}")
        for what, files in update.test_names.items():
            if named := shortened(files, _NAMED):
                line = f"{self._whose}  Test images {what}: {escape(', '.join(named))}"
                self._console.print(line)

    def on_import(self, count: int) -> None:
        """Print how many labels came."""
        self._console.print(f"{self._whose}{count} label(s) came with the files")

    def on_wait(self, journal: Journal, instructions: str) -> None:
        """Print what is to be done for the run to continue."""
        self._progress.stop()
        self._console.print(f"\n{instructions}", soft_wrap=True, highlight=False, markup=False)

    def on_run_end(self, journal: Journal) -> None:
        """Print the table, and where everything is."""
        self._progress.stop()
        if self._rounds is None:  # nothing has begun in this process
            done = (
                "only its last weights were fitted again" if self._fitted else "nothing was changed"
            )
            self._console.print(f"This run is finished: nothing is left to do, {done}.")
        self._console.print(results_table(journal, self._title))
        for line in last_accuracies(journal):
            self._console.print(line, highlight=False)
        curve = [
            (event["labels_bought"], event["metrics"]["accuracy"])
            for event in rounds_of_curve(journal.rounds)
            if event["metrics"]
        ]
        labels, scores = [b for b, _ in curve], [a for _, a in curve]
        if curve and (area := area_under_budget_curve(labels, scores)) is not None:
            self._console.print(
                f"AUBC of the accuracy over [{labels[0]:,}, {labels[-1]:,}] labels: {area:.4f}"
            )
        seconds = sum(sum(event["seconds"].values()) for event in journal.rounds)
        self._console.print(
            f"{time.monotonic() - self._began:.1f} s in this session; fitting, testing, scoring and "
            f"selecting took {seconds:.1f} s in all sessions, cached fits included\n"
        )
        for name, what in (
            ("journal.jsonl", "all events, in order"),
            ("summary.json", "the results in this table"),
            ("queries", "the queried images of each round"),
            ("predictions", "the predictions on the test images, per round"),
            ("tensorboard", f"tensorboard --logdir {shlex.quote(str(self._folder))}"),
            ("checkpoints/last.ckpt", "the last weights"),
        ):
            if (path := self._folder / name).exists():
                line = f"  {escape(str(path))}  [dim]{escape(what)}[/]"
                self._console.print(line, soft_wrap=True, highlight=False)
        for what, command in next_steps(journal, self._folder):
            self._console.print(f"\n{what}:\n  {escape(command)}", soft_wrap=True, highlight=False)

    def _measured(self, result: RoundResult) -> str:
        """Return the main figures of a round; there may be no test images, or no validation labels."""
        parts, event = [], result.event
        if metrics := event["metrics"]:
            accuracy = metrics["accuracy"]
            parts.append(
                f"accuracy {accuracy:.4f} {shown_interval(accuracy, self._tested)}  "
                f"macro F1 {metrics['macro_f1']:.4f}  "
            )
        if "validation" in event:
            accuracy = event["validation"]["accuracy"]
            interval = shown_interval(accuracy, len(result.pool.validation_ids))
            parts.append(f"validation {accuracy:.4f} {interval}  ")
        return "".join(parts) or "no test images  "

    def _note(self, text: str) -> None:
        self._console.print(f"[yellow]{self._whose}          {text}[/]")


def _count_rounds(budget: Budget, size: int, given: int) -> int:
    first = min(size, (given or budget.first(size)) + budget.held_out)
    return 1 + budget.count_queries(budget.limit(size, given) - first, 0, given)
