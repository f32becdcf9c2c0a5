"""Which runs of a setting are compared: they are paired by seed, and never by their order.

What cannot be paired is left out, and named.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from al_lightning.report.study.common_budgets import common_budgets, reaching
from al_lightning.report.study.conditions import Facts
from al_lightning.report.study.notes import changed, differing_machines, notes, unshared
from al_lightning.report.study.run_names import grouped, label_strategies
from al_lightning.report.study.runs import Run
from al_lightning.report.study.settings import REFERENCE, LeftOut, Setting


def pair_runs(
    name: str,
    differences: Facts,
    active: Sequence[Run],
    passive: Sequence[Run],
    trial: bool,
) -> Setting:
    """Make a setting of the runs that can be compared, and name the others.

    Args:
        name: Of the setting.
        differences: The keys that differ from other settings, dotted.
        active: Its runs, but for those on all labels.
        passive: Its runs on all labels.
        trial: Whether it is a trial of a search.
    """
    begun, left_out = _begun([*active, *passive])
    labels = label_strategies([run for run in begun if not run.passive])
    kept, others = _same_start([run for run in begun if not run.passive])
    strategies, doubles = _by_strategy_and_seed(kept, labels)
    baseline, more_doubles = _by_seed([run for run in begun if run.passive])
    replaced = {id(left.run) for left in [*doubles, *more_doubles]}
    reference = _reference(strategies)
    budgets = common_budgets(strategies, reference)
    used, short = reaching(strategies, budgets)
    return Setting(
        name=name,
        dataset=(active or passive)[0].dataset,
        model=(active or passive)[0].model,
        differences=differences,
        runs=_reference_first(used, reference),
        passive=baseline,
        budgets=budgets,
        reference=reference if reference in used else None,
        unfinished=tuple(
            run
            for run in [*active, *passive]
            if not run.finished and run.tested and id(run) not in replaced
        ),
        left_out=(*left_out, *others, *doubles, *more_doubles, *short),
        notes=(
            *notes(used, baseline),
            *_disagreements([*doubles, *more_doubles]),
            *changed([*active, *passive]),
        ),
        unexplained=() if differing_machines(used) else tuple(unshared(used)),
        trial=trial,
        untested=tuple(run for run in [*active, *passive] if not run.tested),
    )


def _begun(runs: Iterable[Run]) -> tuple[list[Run], list[LeftOut]]:
    """Tell runs with a test score and a seed from the others."""
    kept, left_out = [], []
    for run in runs:
        if not run.tested:
            where = " in some of its rounds" if any(entry.metrics for entry in run.rounds) else ""
            left_out.append(
                LeftOut(run, f"it has no test images{where}, on which runs are compared")
            )
        elif not run.rounds:
            left_out.append(LeftOut(run, "no round of it is finished yet"))
        elif run.seed is None:
            left_out.append(LeftOut(run, "its configuration holds no seed to pair it by"))
        else:
            kept.append(run)
    return kept, left_out


def _same_start(runs: Sequence[Run]) -> tuple[list[Run], list[LeftOut]]:
    """Keep the runs that start from the labels that most runs of their seed start from."""
    kept, left_out = [], []
    for seed, group in grouped(runs, lambda run: run.seed).items():
        starts = Counter(run.start for run in group)
        most = max(starts.values())
        # Where equally many disagree, the reference decides: something must be compared with it.
        tied = [run for run in group if starts[run.start] == most]
        usual = next((r.start for r in tied if r.strategy == REFERENCE), tied[0].start)
        kept += [run for run in group if run.start == usual]
        reason = (
            f"it starts from other labels than most runs of seed {seed}, so it cannot be paired"
        )
        left_out += [LeftOut(run, reason) for run in group if run.start != usual]
    return kept, left_out


def _by_strategy_and_seed(
    runs: Sequence[Run], labels: Mapping[int, str]
) -> tuple[dict[str, dict[int, Run]], list[LeftOut]]:
    strategies, left_out = {}, []
    for label, group in sorted(grouped(runs, lambda run: labels[id(run)]).items()):
        strategies[label], doubles = _by_seed(group)
        left_out += doubles
    return strategies, left_out


def _by_seed(runs: Sequence[Run]) -> tuple[dict[int, Run], list[LeftOut]]:
    """Return a run a seed: of several, the one that came furthest."""
    kept: dict[int, Run] = {}
    left_out = []
    for run in sorted(runs, key=lambda run: (-len(run.rounds), not run.finished, str(run.folder))):
        seed = -1 if run.seed is None else run.seed
        if (other := kept.setdefault(seed, run)) is not run:
            same = run.rounds == other.rounds[: len(run.rounds)]
            what = "the same rounds as" if same else "the strategy and seed of"
            left_out.append(
                LeftOut(run, f"it has {what} {other.folder}, which is used instead", same)
            )
    return dict(sorted(kept.items())), left_out


def _reference(strategies: Mapping[str, Any]) -> str | None:
    """Return the plain reference, else the first that bears its name."""
    variants = [label for label in strategies if label.split(",")[0] == REFERENCE]
    return min(variants, key=lambda label: (label != REFERENCE, label), default=None)


def _reference_first(
    strategies: Mapping[str, Mapping[int, Run]], reference: str | None
) -> dict[str, Mapping[int, Run]]:
    return dict(sorted(strategies.items(), key=lambda item: (item[0] != reference, item[0])))


def _disagreements(doubles: Iterable[LeftOut]) -> Iterator[str]:
    """Name runs whose results differ from those that are used instead, but should not."""
    for left in doubles:
        if not left.repeats:
            yield (
                f"{left.run.folder} is another run of {left.run.strategy} under seed "
                f"{left.run.seed}, with other results; the cause is not recorded"
            )
