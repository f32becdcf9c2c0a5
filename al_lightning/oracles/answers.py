"""What an oracle must be, and what its answers must hold, checked before anything rests on them."""

import inspect
import warnings
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from al_lightning.run.pool import HELD_OUT
from al_lightning.run.questions import Answer, Oracle, Question
from al_lightning.utils.errors import UsageError
from al_lightning.utils.listing import shortened

_NAMED = 10  # ids in a message


def require_oracle(oracle: object) -> None:
    """Check that an object is an oracle, before a run begins.

    Raises:
        UsageError: If it is no :class:`~al_lightning.Oracle`, or does not say what one must say.
    """
    if not isinstance(oracle, Oracle):
        called = oracle.__name__ if inspect.isclass(oracle) else type(oracle).__name__
        what = f"the class {called}: make one, {called}(...)" if inspect.isclass(oracle) else called
        raise UsageError(
            f"oracle must be an instance of a subclass of al_lightning.Oracle, not {what}. "
            "A subclass implements answer(question)"
        )
    for name in ("answers_at_once", "answers_here"):
        if not isinstance(value := getattr(oracle, name), bool):
            raise UsageError(f"{type(oracle).__name__}.{name} must be True or False, not {value!r}")


def checked_answer(oracle: Oracle, question: Question, answer: object, num_classes: int) -> Answer:
    """Return what an oracle has answered, as int64 tensors; refuse what does not fit the question.

    Lists, arrays and other whole numbers than int64 are taken as they are meant.

    Args:
        oracle: That was asked; named in messages.
        question: What it was asked.
        answer: What came: an :class:`~al_lightning.Answer`.
        num_classes: Labels are 0 to this number - 1.

    Raises:
        UsageError: If it is no answer to the question; names the oracle, and the ids.
    """
    name = type(oracle).__name__
    answer = _require_answer(name, answer)
    num_classes += len(_new_classes(name, answer.new_classes))
    earlier = {i for asked in question.earlier for i in asked.ids.tolist()}
    ids = _asked(name, "ids", answer.ids, question.ids.tolist())
    skipped = _asked(name, "skipped", answer.skipped, question.ids.tolist())
    late_ids = _asked(name, "late_ids", answer.late_ids, earlier)
    if len(both := ids[torch.isin(ids, skipped)]):
        raise UsageError(f"{name} has labeled and skipped the same images: ids {_listed(both)}")
    late_skipped = _asked(name, "late_skipped", answer.late_skipped, earlier)
    still_open = _asked(name, "open_ids", answer.open_ids, {*question.ids.tolist(), *earlier})
    still_open = still_open[~torch.isin(still_open, torch.cat([ids, skipped, late_ids]))]
    if len(ids) + len(skipped) + len(late_ids) + len(late_skipped) == 0:
        raise UsageError(
            f"{name} has answered without a label and without a skip: return None where there is no "
            "answer yet (answers_at_once = False), or skip what cannot be labeled"
        )
    return replace(
        answer,
        ids=ids,
        labels=_labels(name, "labels", answer.labels, ids, num_classes),
        skipped=skipped,
        late_ids=late_ids,
        late_labels=_labels(name, "late_labels", answer.late_labels, late_ids, num_classes),
        late_skipped=late_skipped,
        open_ids=still_open,
        by=_annotators(name, answer.by),
        new_classes=tuple(answer.new_classes),
    )


def _require_answer(name: str, answer: object) -> Answer:
    """Return an answer as it is; refuse anything else."""
    if answer is None:
        raise UsageError(
            f"{name} has answered None, though its answers_at_once is True: return an Answer, or set "
            "answers_at_once = False where an answer may take time"
        )
    if not isinstance(answer, Answer):
        raise UsageError(
            f"{name} must answer with an al_lightning.Answer(ids, labels), not {type(answer).__name__}"
        )
    return answer


def warn_of_kept_labels(corrections: Mapping[int, int]) -> None:
    """Warn of corrections that are not applied, since the run is no project.

    Args:
        corrections: Classes by the ids of labeled images.
    """
    if corrections:
        warnings.warn(
            f"{len(corrections)} image(s) were labeled before, and now have another class: ids "
            f"{sorted(corrections)}. The first label is kept; a project (project=NAME) applies "
            "corrections",
            stacklevel=2,
        )


def warn_of_taken_back(
    answer: Answer, labeled: Collection[int], elsewhere: Collection[int]
) -> None:
    """Warn of labels that annotators take back: these stay, since a label can only be corrected.

    Args:
        answer: To a question, or apart from one.
        labeled: Images that have a label.
        elsewhere: Those of them that have it from elsewhere: an empty entry says nothing of them.
    """
    skipped = {*answer.skipped.tolist(), *answer.late_skipped.tolist()}
    emptied = {*answer.emptied_ids.tolist()}.difference(elsewhere)
    if kept := sorted((skipped | emptied).intersection(labeled)):
        warnings.warn(
            f"{len(kept)} image(s) have a label, and are empty or skipped now where an annotator had "
            f"labeled them: ids [{', '.join(shortened(kept, _NAMED))}]. They keep the label: it can be "
            "corrected to another class, but not taken back",
            stacklevel=2,
        )


def warn_of_gaps(question: Question, answer: Answer) -> None:
    """Warn of an answer that leaves images for validation or test open.

    Args:
        question: That was answered.
        answer: That was checked.
    """
    answered = torch.cat([answer.ids, answer.skipped])
    left = len(question.left_ids) - int(torch.isin(question.left_ids, answered).sum())
    if question.origin in HELD_OUT and left:
        warnings.warn(
            f"{left} of {len(question.ids)} images for {question.origin} have no label. If these are "
            "hard images, the accuracy on the others is too high: they are no random sample",
            stacklevel=2,
        )


def whole_numbers(what: str, values: object) -> Tensor:
    """Return whole numbers as an int64 tensor on the CPU, (M,).

    Args:
        what: What they are called in a message.
        values: A tensor, an array or a sequence.

    Raises:
        UsageError: If they are something else.
    """
    try:
        tensor = torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise UsageError(
            f"{what} must be whole numbers, (M,) int64, not {type(values).__name__}: {error}"
        ) from error
    if tensor.ndim == 1 and len(tensor) == 0:
        return torch.empty(0, dtype=torch.int64)
    whole = not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool)
    if tensor.ndim != 1 or not whole:
        raise UsageError(
            f"{what} must be whole numbers, (M,) int64, not {tuple(tensor.shape)} {tensor.dtype}"
        )
    return tensor.to("cpu", torch.int64)


def _annotators(name: str, by: object) -> str | Mapping[int, str]:
    """Return the name of the annotator, or of each by the image's id."""
    names = [*by.values()] if isinstance(by, Mapping) else [by]
    if not all(isinstance(one, str) for one in names):
        raise UsageError(
            f"{name} has answered with by={by!r}: expected a name, or a name by each id"
        )
    return cast("str | Mapping[int, str]", by)


def _asked(name: str, field: str, values: object, asked: Collection[int]) -> Tensor:
    """Return ids, each of which is in the question and occurs once."""
    ids = whole_numbers(f"{field} of an answer of {name}", values)
    if len(foreign := ids[~torch.isin(ids, torch.tensor(list(asked), dtype=torch.int64))]):
        when = "an earlier question" if field.startswith("late") else "this question"
        raise UsageError(
            f"{name} has answered for images that are not in {when}: {field} has ids "
            f"{_listed(foreign)}"
        )
    ascending = ids.sort().values
    if len(repeated := ascending[1:][ascending[1:] == ascending[:-1]]):
        raise UsageError(
            f"{name} has given images more than once: {field} has ids {_listed(repeated)}"
        )
    return ids


def _new_classes(name: str, classes: object) -> Collection[str]:
    """Return names of classes that an answer has brought."""
    if not isinstance(classes, tuple | list) or not all(isinstance(c, str) for c in classes):
        raise UsageError(f"new_classes of an answer of {name} must be names, not {classes!r}")
    return classes


def _labels(name: str, field: str, values: object, ids: Tensor, num_classes: int) -> Tensor:
    """Return the label of each id."""
    labels = whole_numbers(f"{field} of an answer of {name}", values)
    if len(labels) != len(ids):
        raise UsageError(
            f"{name} must give one label an image: {len(ids)} images, but {len(labels)} {field}"
        )
    if len(wrong := ids[(labels < 0) | (labels >= num_classes)]):
        raise UsageError(
            f"{name} has given labels that are no classes: {field} goes from {int(labels.min())} to "
            f"{int(labels.max())} instead of from 0 to {num_classes - 1}, at ids {_listed(wrong)}"
        )
    return labels


def _listed(ids: Tensor) -> str:
    return f"[{', '.join(shortened(ids.tolist(), _NAMED))}]"
