"""What the annotations of tasks say of their images."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from al_lightning.oracles.label_studio.tasks import Task
from al_lightning.utils.errors import UsageError
from al_lightning.utils.listing import shortened
from al_lightning.utils.names import plain

Verdict = int | Literal["skipped", "open"]  #: a class, or why there is none

_SHOWN = 5  # of the problems that a message lists


def by_image(tasks: Iterable[Task]) -> dict[int, list[Task]]:
    """Return the tasks of each image; none for one that has no task."""
    found: dict[int, list[Task]] = defaultdict(list)
    for task in tasks:
        found[task.image].append(task)
    return found


def verdicts_of(
    ids: Iterable[int],
    tasks: Mapping[int, Sequence[Task]],
    labels: Mapping[str, int],
    called: Callable[[int], str],
    project: str,
) -> list[Verdict]:
    """Return the label of each image, "skipped" or "open".

    Args:
        ids: Of the images.
        tasks: Of each image.
        labels: By the plain names that classes have or had.
        called: Returns what a message calls an image.
        project: Its address, for messages.

    Raises:
        UsageError: If annotations have an unknown class, several classes, or none; names the tasks.
    """
    verdicts: list[Verdict] = []
    problems: list[str] = []
    for image in ids:
        verdict, problem = _verdict(tasks.get(image, []), labels)
        verdicts.append(verdict)
        if problem:
            numbers = " and ".join(str(task.id) for task in tasks[image])
            problems.append(f"task {numbers} ({called(image)}): {problem}")
    if problems:
        listed = "\n  ".join(shortened(problems, _SHOWN))
        raise UsageError(
            f"Annotations in {project} cannot be used:\n  {listed}\n"
            "Correct them there, then run the same command again; no label was read"
        )
    return verdicts


def _verdict(tasks: Sequence[Task], labels: Mapping[str, int]) -> tuple[Verdict, str | None]:
    """Return the label of one image, "skipped" or "open", and the problem with its annotations."""
    annotations = [given for task in tasks for given in task.annotations]
    if not annotations:
        return "open", None
    labeled = [given for given in annotations if not given.skipped]
    if not labeled:
        return "skipped", None
    chosen = sorted({plain(choice) for given in labeled for choice in given.choices})
    if unknown := [name for name in chosen if name not in labels]:
        return "open", f"{unknown[0]!r} is none of the data set's classes"
    if len({labels[name] for name in chosen}) > 1:
        return "open", f"different classes were chosen, {', '.join(map(repr, chosen))}"
    if not all(given.choices for given in labeled):
        return "open", "an annotation has no class; delete it, or skip the task"
    return labels[chosen[0]], None


def annotators(tasks: Mapping[int, Sequence[Task]]) -> dict[int, str]:
    """Return who labeled each image, by its id; several names where several annotators agree."""
    return {
        image: ", ".join(sorted({by for task in same for by in task.annotators}))
        for image, same in tasks.items()
    }


def split_verdicts(verdicts: Iterable[tuple[int, Verdict]]) -> tuple[Tensor, Tensor, Tensor]:
    """Return labeled ids, their classes, and skipped ids, (M,), (M,) and (S,) int64."""
    given = list(verdicts)
    labeled = [(i, verdict) for i, verdict in given if isinstance(verdict, int)]
    return (
        torch.tensor([i for i, _ in labeled], dtype=torch.int64),
        torch.tensor([label for _, label in labeled], dtype=torch.int64),
        torch.tensor([i for i, verdict in given if verdict == "skipped"], dtype=torch.int64),
    )
