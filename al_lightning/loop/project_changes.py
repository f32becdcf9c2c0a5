"""What has changed in a project since it was last started, written down before it goes on."""

from collections.abc import Collection, Mapping, Sequence

import torch

from al_lightning.callbacks.loop_callback import LoopCallback
from al_lightning.data.project.known_project import ImageUpdate
from al_lightning.data.source import UNKNOWN, ImageData
from al_lightning.loop.candidates import apart_from_held_out
from al_lightning.oracles.answers import warn_of_kept_labels, warn_of_taken_back
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal
from al_lightning.run.pool import HELD_OUT
from al_lightning.run.project import changed_settings
from al_lightning.run.questions import IMPORTED, Answer, Oracle
from al_lightning.run.state import Event
from al_lightning.utils.errors import JournalError
from al_lightning.utils.ranks import from_rank_zero

FILES = "files"  #: who corrects a label by moving a file to the folder of another class


def write_manifest(update: ImageUpdate | None) -> None:
    """Write down which file is which image, before the journal counts on it."""
    if update is not None and update.rows:
        from_rank_zero(lambda: update.manifest.append(update.rows))


def record_changes(
    journal: Journal,
    start: Event,
    data: ImageData,
    irrelevant: Collection[str],
    callbacks: LoopCallback,
) -> None:
    """Write down with which settings, classes and images a project goes on.

    Args:
        journal: Of the project, which has begun.
        start: The start event that it would write now.
        data: The data set as it is today.
        irrelevant: Keys of the configuration, dotted, that no result depends on.
        callbacks: Told of each change.

    Raises:
        JournalError: If another process has gone on with the project in the meantime.
    """
    for setting in changed_settings(journal, start["config"], irrelevant):
        journal.record_setting(setting.key, setting.after)
        callbacks.on_setting(setting)
    change = _class_change(journal, data)
    if str(change):
        journal.record_classes(change)
        callbacks.on_classes(change, data)
    if data.update is not None:
        _record_images(journal, data.update, callbacks)
        _record_imported(journal, data, callbacks)


def _class_change(journal: Journal, data: ImageData) -> ClassChange:
    """Return how the classes of the files of today differ from those of the project.

    Raises:
        JournalError: If they cannot be told from each other.
    """
    renamed = {} if data.update is None else data.update.renamed
    change = ClassChange(data.classes[len(journal.classes) :], renamed)
    if change.after(journal.classes) != [*data.classes]:
        raise JournalError(
            f"{journal.path} has the classes {', '.join(journal.classes)}, but the images were read "
            f"with {', '.join(data.classes)}: they were changed in the meantime. Run the same command "
            "again; in Python, read the images by ProjectSource(source, folder, journal)"
        )
    return change


def record_corrections(
    journal: Journal,
    labels: Mapping[int, int],
    by: str | Sequence[str],
    callbacks: LoopCallback,
    *,
    answered: bool = False,
    at: str | None = None,
) -> None:
    """Write down corrections, if there are any.

    Args:
        journal: Of the project.
        labels: Classes by id.
        by: Who corrects, or who corrects each.
        callbacks: Told of them, but for labels that are only confirmed.
        answered: Whether they come with an answer to a question.
        at: When they were given, in UTC; None for now.
    """
    if labels:
        known = journal.label_of
        changed = {i: label for i, label in labels.items() if known.get(i) != label}
        ids, classes = torch.tensor([*labels]), torch.tensor([*labels.values()])
        journal.record_correction(ids, classes, by, answered=answered, at=at)
        if changed:
            callbacks.on_correction(changed)


def record_answer(
    answer: Answer, journal: Journal, oracle: Oracle, callbacks: LoopCallback
) -> None:
    """Write down the corrections in an answer; warn of labels that are kept although it says otherwise.

    Args:
        answer: To a question, or apart from one.
        journal: Of the run.
        oracle: Gave them; its name is written where nobody is named.
        callbacks: Told of them.
    """
    warn_of_taken_back(answer, journal.label_of, journal.labeled_elsewhere())
    if not journal.is_project:
        warn_of_kept_labels(answer.corrections(journal.pool, {}))
        return
    corrections = answer.corrections(journal.pool, journal.answered)
    by = answer.annotators(corrections) or type(oracle).__name__
    record_corrections(journal, corrections, by, callbacks, answered=True, at=answer.at)


def _record_images(journal: Journal, update: ImageUpdate, callbacks: LoopCallback) -> None:
    if (journal.manifest_size or 0) != update.manifest.size:
        raise JournalError(
            f"{journal.path} was continued by another process since this one began. Run the same "
            "command again"
        )
    # The corrections first: once the journal counts on the new rows, the files tell no difference.
    known = journal.label_of
    moved = {i: label for i, label in update.relabeled.items() if known.get(i, label) != label}
    record_corrections(journal, moved, FILES, callbacks)
    change = update.change
    if update.rows or change.gone or change.back or change.test != journal.test_images:
        write_manifest(update)
        journal.record_images(change)
        callbacks.on_images(update, journal.to_review)


def _record_imported(journal: Journal, data: ImageData, callbacks: LoopCallback) -> None:
    """Take the labels of files that came with one, such as in the folder of a class."""
    pool, hidden = journal.pool, (journal.start or {})["data"].get("hidden", False)
    asked = journal.open_question
    if hidden or len(pool.labeled_ids) == 0:  # the latter are the first labels
        return
    if asked is not None and asked.origin in HELD_OUT:  # it must stay a random sample
        return
    labels, absent = data.train.labels, set(pool.absent_ids.tolist())
    has_label = (labels != UNKNOWN).nonzero().flatten()
    given = apart_from_held_out(has_label, pool, data.train.groups).tolist()
    new = [i for i in given if i not in journal.label_of and i not in absent]
    if new:
        ids = torch.tensor(new)
        journal.record_labels(len(journal.rounds), ids, labels[ids], IMPORTED, by=FILES)
        callbacks.on_import(len(new))
