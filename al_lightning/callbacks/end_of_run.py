"""Output of the console at the end of a run: table of the rounds, accuracies, next commands."""

import shlex
from pathlib import Path

from rich.table import Table

from al_lightning.run.journal import Journal
from al_lightning.utils.intervals import wilson_interval

_COLUMNS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced",
    "macro_precision": "precision",
    "macro_f1": "macro F1",
    "nll": "NLL",
    "ece": "ECE",
}


def next_steps(journal: Journal, folder: Path) -> list[tuple[str, str]]:
    """Return what may be done with a run that has ended, each with its command.

    Args:
        journal: Of the run.
        folder: Of the run.
    """
    start = journal.start or {}
    steps = []
    if (folder / "checkpoints" / "last.ckpt").exists():
        place = shlex.quote(str(folder))
        steps += [
            ("Classify new images", f"python -m al_lightning.predict {place} <folder of images>"),
            ("Classify the unlabeled images", f"python -m al_lightning.predict {place} --pool"),
            ("Review the labels", f"python -m al_lightning.review {place}"),
            ("Use the classifier elsewhere", f"python -m al_lightning.export {place}"),
        ]
    total = journal.config.get("budget", {}).get("total")
    if isinstance(total, int) and len(journal.pool.labeled_ids) < start["data"]["train"]:
        given = [o for o in start.get("overrides", []) if not o.startswith("budget.total=")]
        command = shlex.join(["python", "-m", "al_lightning", *given, f"budget.total={2 * total}"])
        place = "in this project" if journal.is_project else "in a new run"
        steps.append((f"Continue with more labels, {place}", command))
    return steps


def results_table(journal: Journal, title: str) -> Table:
    """Return the rounds of a run as a table."""
    table = Table(title=title)
    for name in ("round", "labels", *_COLUMNS.values(), "fit s", "score s", "select s"):
        table.add_column(name, justify="right")
    for event in journal.rounds:
        seconds = event["seconds"]
        table.add_row(
            str(event["round"]),
            f"{event['labels_bought']:,}",
            *(_shown(event["metrics"].get(name)) for name in _COLUMNS),
            *(f"{seconds[phase]:.1f}" for phase in ("fit", "score", "select")),
        )
    return table


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def last_accuracies(journal: Journal) -> list[str]:
    """Return how sure the accuracies of the last round are, a line each."""
    if not journal.rounds:
        return []
    last, tested = journal.rounds[-1], (journal.start or {}).get("data", {}).get("test", 0)
    figures = [
        (last["metrics"], tested, "test images"),
        (last.get("validation"), len(journal.pool.validation_ids), "validation labels"),
        (last.get("test"), len(journal.pool.test_ids), "test labels, drawn at random"),
    ]
    return [
        f"With {last['labels_bought']:,} labels: accuracy {metrics['accuracy']:.4f} on {count:,} "
        f"{what}, 95% interval {shown_interval(metrics['accuracy'], count)}"
        for metrics, count, what in figures
        if metrics and count
    ]


def shown_interval(accuracy: float, count: int) -> str:
    """Return the 95 % interval of an accuracy on so many images, as it is shown."""
    low, high = wilson_interval(accuracy, count)
    return f"[{low:.3f}, {high:.3f}]"
