"""The summary of a run, for one small file."""

from collections.abc import Mapping
from dataclasses import asdict
from operator import ne
from typing import Any

from al_lightning.run.advice.of_run import advice_on, agreements_in, rounds_of_one_model
from al_lightning.run.advice.settings import AdviceSettings
from al_lightning.run.advice.wording import sentences
from al_lightning.run.curve import area_under_budget_curve, rounds_of_curve
from al_lightning.run.journal import Journal
from al_lightning.run.state import Event
from al_lightning.utils.intervals import wilson_interval


def summarize(
    journal: Journal, names: Mapping[str, Any], advice: AdviceSettings | None = None
) -> dict[str, Any]:
    """Summarise a run.

    Args:
        journal: With its start event.
        names: What the run is called: ``dataset``, ``model``, ``strategy``, ``seed``.
        advice: What advice is asked for; None for none.

    Returns:
        The names, then ``trainable_parameters``, ``test_images``, ``validation_labels``,
        ``corrections`` (labels that were corrected later), ``to_review`` (labels of images whose
        content has changed since), ``rounds`` (``labels_bought``, all metrics, those on the validation
        labels where there are any, and how many these were then, seconds, steps; each accuracy with its
        ``accuracy_interval``, see
        :func:`~al_lightning.utils.intervals.wilson_interval`),
        ``aubc`` of the accuracy over [``aubc_from``, ``aubc_to``] labels (None for a single round),
        ``validation_aubc``, see :func:`validation_score`,
        ``test_labels``, ``test`` (the metrics of the last round on the test labels that were bought),
        ``seconds`` of all rounds together, ``finished``, and ``advice`` after the last round, where it
        is asked for: figures, ``sentences``, and ``agreements`` of each round with the one before.
    """
    start = journal.start or {}
    tested = start.get("data", {}).get("test", 0)
    measured_on = zip(journal.rounds, _validated(journal), strict=True)
    rounds = [_round(event, tested, validated) for event, validated in measured_on]
    points = rounds_of_curve(rounds)
    labels = [entry["labels_bought"] for entry in points]
    scores = [entry["accuracy"] for entry in points if "accuracy" in entry]
    measured = points and len(scores) == len(points)  # there may be no test images
    return {
        **names,
        "trainable_parameters": start.get("model", {}).get("trainable_parameters"),
        "test_images": tested,
        "validation_labels": len(journal.pool.validation_ids),
        "corrections": sum(map(_changed, journal.corrections())),
        "to_review": len(journal.to_review),
        "rounds": rounds,
        "aubc": area_under_budget_curve(labels, scores) if measured else None,
        "validation_aubc": validation_score(journal),
        "aubc_from": labels[0] if labels else None,
        "aubc_to": labels[-1] if labels else None,
        **_final(journal),
        "seconds": sum(sum(entry["seconds"].values()) for entry in rounds),
        "finished": journal.finished,
        **({} if advice is None else {"advice": _advice(journal, advice)}),
    }


def _final(journal: Journal) -> dict[str, Any]:
    """Return the final figures, on the labels that were bought for them alone; none without any."""
    count, rounds = len(journal.pool.test_ids), journal.rounds
    if count == 0 or not rounds or "test" not in rounds[-1]:  # bought since
        return {}
    return {"test_labels": count, "test": _with_interval(rounds[-1]["test"], count)}


def _advice(journal: Journal, settings: AdviceSettings) -> dict[str, Any] | None:
    folder = journal.path.parent
    if (advice := advice_on(journal, folder, settings)) is None:
        return None
    agreements = agreements_in(folder, rounds_of_one_model(journal)[0])
    return {
        **advice.facts(),
        "sentences": sentences(advice, journal.classes),
        "agreements": [None if each is None else asdict(each) for each in agreements],
    }


def _changed(correction: Event) -> int:
    """Return how many labels a correction has changed; the others were confirmed."""
    return sum(map(ne, correction["from"], correction["to"]))


def _validated(journal: Journal) -> list[int]:
    """Return how many validation labels each round was measured on: their budget may be raised."""
    return [len(journal.pool_in(event["round"]).validation_ids) for event in journal.rounds]


def _round(event: Event, tested: int, validated: int) -> dict[str, Any]:
    """Return the results of a round; ``tested`` and ``validated`` are numbers of images."""
    validation = event.get("validation")
    return {
        "round": event["round"],
        "labels_bought": event["labels_bought"],
        **_with_interval(event["metrics"], tested),
        **({} if validation is None else _validation(validation, validated)),
        "seconds": event["seconds"],
        "steps": event["steps"],
    }


def _validation(metrics: Mapping[str, float], count: int) -> dict[str, Any]:
    return {"validation_labels": count, "validation": _with_interval(metrics, count)}


def _with_interval(metrics: Mapping[str, float], count: int) -> dict[str, Any]:
    """Return metrics on so many images, with the interval of the accuracy."""
    if "accuracy" not in metrics or count == 0:
        return dict(metrics)
    return {**metrics, "accuracy_interval": list(wilson_interval(metrics["accuracy"], count))}


def validation_score(journal: Journal) -> float | None:
    """Return the score to choose hyperparameters by: the AUBC of the accuracy on validation labels.

    Args:
        journal: Of a run.

    Returns:
        The mean height of the curve, in [0, 1]; the accuracy itself where there is a single round, and
        None where no validation labels were bought.
    """
    rounds = [event for event in rounds_of_curve(journal.rounds) if "validation" in event]
    if not rounds:
        return None
    labels = [event["labels_bought"] for event in rounds]
    scores: list[float] = [event["validation"]["accuracy"] for event in rounds]
    area = area_under_budget_curve(labels, scores)
    return scores[-1] if area is None else area
