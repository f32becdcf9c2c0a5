"""Open questions that nobody needs to answer any more, or not all of them."""

import warnings
from collections.abc import Callable

import torch

from al_lightning.run.journal import Journal
from al_lightning.run.pool import Pool
from al_lightning.run.questions import Answer, Question


def close_if_settled(
    question: Question,
    corrections: Answer | None,
    journal: Journal,
    left: int,
    record: Callable[[Question, Answer], None],
) -> bool:
    """Close a question that asks for nothing, or for more than the budget has left; return whether.

    Its images have gone or have a label from elsewhere, or a project's budget was lowered since. Labels
    that are known already are recorded.

    Args:
        question: That is open.
        corrections: What annotators have changed, as :meth:`~al_lightning.Oracle.corrections` says it.
        journal: Of the run.
        left: Labels that may still be bought.
        record: Records an answer.
    """
    wanted = len(question.left_ids)
    if wanted > 0 and not (journal.is_project and _is_too_large(question, journal.pool, left)):
        return False
    answer = None if corrections is None else _answer_so_far(question, corrections)
    if wanted > 0:
        warnings.warn(
            f"{wanted} images are asked for, and budget.total leaves {max(left, 0)}: this query is "
            f"closed with the {0 if answer is None else len(answer.ids)} labels that it has. Labels "
            "that it gets later are read with the next answer",
            stacklevel=3,
        )
    if answer is None:
        journal.close_question(question)
    else:
        record(question, answer)
    return True


def _is_too_large(question: Question, pool: Pool, left: int) -> bool:
    elsewhere = pool.open_ids[~torch.isin(pool.open_ids, question.ids)]
    return len(question.left_ids) > left - len(elsewhere)


def _answer_so_far(question: Question, corrections: Answer) -> Answer | None:
    """Return the labels and skips of the question's own images; None without any."""
    labeled = torch.isin(corrections.late_ids, question.left_ids)
    skipped = corrections.late_skipped[torch.isin(corrections.late_skipped, question.left_ids)]
    if not bool(labeled.any()) and len(skipped) == 0:
        return None
    ids, labels = corrections.late_ids[labeled], corrections.late_labels[labeled]
    return Answer(ids, labels, skipped, by=corrections.by)
