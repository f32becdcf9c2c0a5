"""The labels that runs are compared over."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from al_lightning.report.study.runs import Run
from al_lightning.report.study.settings import LeftOut
from al_lightning.report.wording import count


def common_budgets(
    strategies: Mapping[str, Mapping[int, Run]], reference: str | None
) -> tuple[int, ...]:
    """Return the budgets to compare over: the range with the most paired rounds.

    In an unfinished sweep, a longer range has fewer pairs. The range maximises pairs times rounds;
    round 0 does not count, because it is the same in all runs.
    """
    runs = [run for by_seed in strategies.values() for run in by_seed.values()]
    labels = {id(run): set(run.labels) for run in runs}
    budgets = sorted(set().union(*labels.values()))
    if not budgets:
        return ()

    def weight(index: int) -> tuple[int, int, int]:
        reaching = {
            name: {seed for seed, run in by_seed.items() if budgets[index] in labels[id(run)]}
            for name, by_seed in strategies.items()
        }
        pairs = sum(
            len(reaching[one] & reaching[other])
            for one, other in combinations(reaching, 2)
            if reference in (one, other, None)
        )
        return pairs * index, sum(map(len, reaching.values())) * index, index

    last = budgets[max(range(len(budgets)), key=weight)]
    reached = [found for found in labels.values() if last in found]
    return tuple(sorted(b for b in set.intersection(*reached) if b <= last))


def reaching(
    strategies: Mapping[str, Mapping[int, Run]], budgets: Sequence[int]
) -> tuple[dict[str, dict[int, Run]], list[LeftOut]]:
    """Return the runs that have scores at all of the common budgets, and those that are left out."""
    used: dict[str, dict[int, Run]] = {}
    left_out = []
    for name, by_seed in strategies.items():
        for seed, run in by_seed.items():
            if set(budgets) <= set(run.labels):
                used.setdefault(name, {})[seed] = run
            else:
                state = "ended" if run.finished else "is unfinished"
                left_out.append(
                    LeftOut(
                        run,
                        f"it {state} at {count(run.labels[-1])} labels, and the comparison goes to "
                        f"{count(budgets[-1])}",
                    )
                )
    return used, left_out
