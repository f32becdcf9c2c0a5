"""What the page shows of a run: labels, budget, accuracy, what the model does."""

from collections.abc import Mapping
from typing import Any

from al_lightning.utils.intervals import wilson_interval

_PHASES = {
    "start": "The run starts",
    "fit": "The model learns",
    "score": "The model looks at the images",
    "test": "The model is tested",
    "wait": "Ready",
    "stop": "The run stops",
    "end": "The run has ended",
}


def status(facts: Mapping[str, Any], numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of a run as plain values.

    Args:
        facts: Of the run's :class:`~al_lightning.run.live.LiveBoard`.
        numbers: Of :meth:`al_lightning.oracles.page.session.Session.numbers`.
    """
    phase = facts.get("phase", "start")
    return {
        **numbers,
        "phase": phase,
        "doing": _PHASES[phase],
        "round": facts.get("round"),
        "step": facts.get("step", ""),
        "done": facts.get("done", 0),
        "total": facts.get("total", 0),
        "labels": sum(numbers["by_class"]),
        "limit": facts.get("limit"),
        "curve": curve(facts.get("rounds", ()), facts.get("tested", 0)),
        "addable": bool(facts.get("project")),
        "advice": facts.get("advice", ""),
    }


def curve(rounds: Any, tested: int) -> list[dict[str, float]]:
    """Return the accuracy of each round, with its interval of 95 %.

    It is measured on the test images; without any, on the labels for validation.

    Args:
        rounds: Pairs of a round event and its number of labels for validation.
        tested: The number of test images.
    """
    points = []
    for event, validated in rounds:
        metrics, count = (
            (event["metrics"], tested) if event["metrics"] else (event.get("validation"), validated)
        )
        if metrics and count:
            low, high = wilson_interval(metrics["accuracy"], count)
            point = {"accuracy": metrics["accuracy"], "low": low, "high": high}
            points.append({"labels": event["labels_bought"], **point})
    return points
