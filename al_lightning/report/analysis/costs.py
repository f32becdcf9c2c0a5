"""Where the time of runs went: labels are not the only cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import median

from al_lightning.report.statistics.efficiency import Crossing, labels_to_reach
from al_lightning.report.study.runs import PHASES, Run
from al_lightning.report.study.settings import Setting


@dataclass(frozen=True)
class Costs:
    """Seconds of a strategy, median of its seeds, over the rounds that are compared.

    A run that was paused, or had a busy machine, counts its pause; the median does not see it.

    Attributes:
        per_round: By phase, mean of the rounds.
        query: To score the pool and to select, mean of the queries; None where nothing was queried.
        total: Of a run, all phases.
        query_share: Seconds of all queries / seconds of all fits; None where no fit took any.
        to_reference: Seconds of fits and queries until the reference's last accuracy of the same seed
            is reached, of the seeds that both have: "never" where half of them do not reach it; None
            where there are none. ``labels`` of the crossing are seconds here.
    """

    per_round: Mapping[str, float]
    query: float | None
    total: float
    query_share: float | None
    to_reference: Crossing | None


def costs(setting: Setting) -> dict[str, Costs]:
    """Return the costs of each strategy."""
    reference = setting.runs[setting.reference] if setting.reference else {}
    return {
        name: _costs(runs, setting.budgets, _to_reference(runs, reference, setting.budgets))
        for name, runs in setting.runs.items()
    }


def passive_costs(setting: Setting) -> Costs | None:
    """Return the costs of the passive baseline; None where there is none."""
    if not setting.passive:
        return None
    labels = next(iter(setting.passive.values())).labels
    return _costs(setting.passive, labels, None)


def _to_reference(
    runs: Mapping[int, Run], reference: Mapping[int, Run], budgets: tuple[int, ...]
) -> Crossing | None:
    """Return the median seconds to the reference's last accuracy, of the seeds that both have."""
    found = [
        _reached(runs[s], reference[s], budgets) for s in sorted(runs.keys() & reference.keys())
    ]
    known = sorted((c for c in found if c), key=lambda c: (c.kind == "never", c.labels))
    if not known or len(known) < len(found):
        return None
    lower, upper = known[(len(known) - 1) // 2], known[len(known) // 2]
    return Crossing((lower.labels + upper.labels) / 2, upper.kind)


def _reached(run: Run, reference: Run, budgets: tuple[int, ...]) -> Crossing | None:
    """Return the seconds until a run reaches another's last accuracy; None where they stand still."""
    elapsed = _elapsed(run, budgets)
    if not all(a < b for a, b in pairwise(elapsed)):
        return None
    accuracies = [run.at(b).metrics["accuracy"] for b in budgets]
    return labels_to_reach(elapsed, accuracies, reference.at(budgets[-1]).metrics["accuracy"])


def _costs(
    runs: Mapping[int, Run], budgets: tuple[int, ...], to_reference: Crossing | None
) -> Costs:
    totals = {
        phase: median(_total(run, phase, budgets) for run in runs.values()) for phase in PHASES
    }
    queries, query = len(budgets) - 1, _query_seconds(runs, budgets)
    return Costs(
        per_round={phase: total / len(budgets) for phase, total in totals.items()},
        query=query / queries if queries else None,
        total=sum(totals.values()),
        query_share=query / totals["fit"] if totals["fit"] else None,
        to_reference=to_reference,
    )


def _total(run: Run, phase: str, budgets: tuple[int, ...]) -> float:
    return sum(run.at(b).seconds[phase] for b in budgets)


def _query_seconds(runs: Mapping[int, Run], budgets: tuple[int, ...]) -> float:
    """Return the seconds of the queries that led to the budgets: all but one after the last."""
    return median(
        sum(run.at(b).seconds[phase] for b in budgets[:-1] for phase in ("score", "select"))
        for run in runs.values()
    )


def _elapsed(run: Run, budgets: tuple[int, ...]) -> list[float]:
    """Return the seconds of fits and queries until each budget's fit is done; tests only measure."""
    fits = [run.at(b).seconds["fit"] for b in budgets]
    queries = [sum(run.at(b).seconds[p] for p in ("score", "select")) for b in budgets]
    return list(accumulate(f + q for f, q in zip(fits, [0.0, *queries[:-1]], strict=True)))
