"""Which runs may be compared with which, and over which labels.

Runs are paired by seed, and never by their order. What cannot be paired is left out, and named.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from al_lightning.report.study.conditions import (
    Facts,
    buys_validation,
    conditions,
    digest,
    setup,
    without_hyperparameters,
)
from al_lightning.report.study.notes import differing_machines, not_compared, notes, unshared
from al_lightning.report.study.run_names import grouped, label_strategies, name_settings
from al_lightning.report.study.runs import Run
from al_lightning.report.words.wording import count

#: The strategy that the others are compared with, where there are runs of it.
REFERENCE = "random"

_BUDGET = ("budget",)  # a baseline on all labels has another one by its nature


@dataclass(frozen=True)
class LeftOut:
    """A run that is not compared.

    Attributes:
        run: The run.
        reason: Why, and what would change it.
        repeats: Whether it only repeats what a run that is compared came to.
    """

    run: Run
    reason: str
    repeats: bool = False


@dataclass(frozen=True)
class Setting:
    """Runs under the same conditions: they differ in strategy and seed alone.

    Attributes:
        name: For readers; unique in a study.
        dataset: What its data set is called.
        model: What its model is called.
        differences: What tells it apart from other settings of this data set and model, dotted keys.
        runs: By strategy and seed; each has all of ``budgets``. The reference comes first.
        passive: Runs on all labels in one round, by seed.
        budgets: Labels that all ``runs`` have scores at, ascending.
        reference: The strategy to compare with; None where it was not run.
        unfinished: Runs that are still to go on.
        left_out: Runs that are not compared.
        notes: What a reader should know of the runs before trusting a comparison.
        unexplained: Seeds under which round 0 is not the same for all strategies, although nothing
            that journals tell of would explain it.
    """

    name: str
    dataset: str
    model: str
    differences: Facts
    runs: Mapping[str, Mapping[int, Run]]
    passive: Mapping[int, Run]
    budgets: tuple[int, ...]
    reference: str | None
    unfinished: tuple[Run, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    unexplained: tuple[int, ...]
    trial: bool

    @property
    def all_runs(self) -> list[Run]:
        """All runs that are compared, those on all labels last."""
        groups = [*self.runs.values(), self.passive]
        return [run for by_seed in groups for run in by_seed.values()]


def build_study(runs: Iterable[Run]) -> list[Setting]:
    """Sort runs into settings, in the order of their names."""
    groups = grouped(sorted(runs, key=_order), lambda run: digest(conditions(run)))
    active = {key: [r for r in group if not r.passive] for key, group in groups.items()}
    passive = [run for group in groups.values() for run in group if run.passive]
    settings: list[tuple[Facts, list[Run], list[Run]]] = []
    for group in active.values():
        if group:
            alike = [run for run in passive if _shared(run) == _shared(group[0])]
            settings.append((conditions(group[0]), group, _baseline(alike, group[0])))
    taken = {id(run) for _, _, baseline in settings for run in baseline}
    lonely = grouped([run for run in passive if id(run) not in taken], _shared)
    settings += [(conditions(group[0]), [], group) for group in lonely.values()]
    named = name_settings([(facts, (own or baseline)[0]) for facts, own, baseline in settings])
    built = [
        _setting(name, differences, own, baseline, trial)
        for (name, differences), (_, own, baseline), trial in zip(
            named, settings, _trials(settings), strict=True
        )
    ]
    return sorted((_with_notes(each, built) for each in built), key=lambda each: each.name)


def _shared(run: Run) -> str:
    return digest(conditions(run, _BUDGET))


def _baseline(passive: Sequence[Run], active: Run) -> list[Run]:
    """Return the baselines that hold back as many labels for validation; all where none does."""
    alike = [run for run in passive if run.validation_labels == active.validation_labels]
    return alike or list(passive)


def _with_notes(setting: Setting, settings: Sequence[Setting]) -> Setting:
    """Tell of strategies that have runs under other conditions alone, and so are not compared."""
    apart = [
        other
        for other in settings
        if (other.dataset, other.model) == (setting.dataset, setting.model)
        and other.runs
        and setting.runs
        and not other.runs.keys() & setting.runs.keys()
        and not (other.trial or setting.trial)  # a search compares nobody
    ]
    more = [
        not_compared(setting.runs, setting.differences, other.runs, other.differences)
        for other in apart
    ]
    return replace(setting, notes=(*setting.notes, *more))


def _order(run: Run) -> tuple[str, str, str, int, str]:
    seed = -1 if run.seed is None else run.seed
    return run.dataset, run.model, run.strategy, seed, str(run.folder)


def _trials(settings: Sequence[tuple[Facts, Sequence[Run], Sequence[Run]]]) -> list[bool]:
    """Say of each setting whether it is a trial of a search, see :attr:`Setting.trial`."""
    places = [digest(without_hyperparameters(facts)) for facts, _, _ in settings]
    alike = Counter(places)
    trials = []
    for place, (_, active, passive) in zip(places, settings, strict=True):
        own = active or passive
        searched = alike[place] > 1 or _variants(own) > 1
        single = len({run.strategy for run in own}) == 1
        trials.append(searched and single and all(map(buys_validation, own)))
    return trials


def _variants(runs: Sequence[Run]) -> int:
    """Return in how many ways the strategies of runs are set up."""
    return len({digest(setup(run)) for run in runs})


# Inside a setting


def _setting(
    name: str,
    differences: Facts,
    active: Sequence[Run],
    passive: Sequence[Run],
    trial: bool,
) -> Setting:
    begun, left_out = _begun([*active, *passive])
    labels = label_strategies([run for run in begun if not run.passive])
    kept, others = _same_start([run for run in begun if not run.passive])
    strategies, doubles = _by_strategy_and_seed(kept, labels)
    baseline, more_doubles = _by_seed([run for run in begun if run.passive])
    replaced = {id(left.run) for left in [*doubles, *more_doubles]}
    reference = _reference(strategies)
    budgets = _common_budgets(strategies, reference)
    used, short = _reaching(strategies, budgets)
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
        notes=(*notes(used, baseline), *_disagreements([*doubles, *more_doubles])),
        unexplained=() if differing_machines(used) else tuple(unshared(used)),
        trial=trial,
    )


def _begun(runs: Iterable[Run]) -> tuple[list[Run], list[LeftOut]]:
    """Tell runs with a test score and a seed from the others."""
    kept, left_out = [], []
    for run in runs:
        if not run.tested:
            left_out.append(LeftOut(run, "it has no test images"))
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
        reason = f"it starts from other labels than most runs of seed {seed}: they make no pair"
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
                LeftOut(run, f"it has {what} {other.folder}, which counts in its place", same)
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


# The labels to compare over


def _common_budgets(
    strategies: Mapping[str, Mapping[int, Run]], reference: str | None
) -> tuple[int, ...]:
    """Return the labels to compare over: those up to the last that keeps the most paired rounds.

    While a sweep is under way, going further costs pairs: the runs that are not there yet. Pairs times
    rounds decides; round 0 counts for nothing, as it is the same in all.
    """
    runs = [run for by_seed in strategies.values() for run in by_seed.values()]
    budgets = sorted({labels for run in runs for labels in run.labels})
    if not budgets:
        return ()

    def weight(index: int) -> tuple[int, int, int]:
        reaching = {
            name: {seed for seed, run in by_seed.items() if budgets[index] in run.labels}
            for name, by_seed in strategies.items()
        }
        pairs = sum(
            len(reaching[one] & reaching[other])
            for one, other in combinations(reaching, 2)
            if reference in (one, other, None)
        )
        return pairs * index, sum(map(len, reaching.values())) * index, index

    last = budgets[max(range(len(budgets)), key=weight)]
    reached = [set(run.labels) for run in runs if last in run.labels]
    return tuple(sorted(b for b in set.intersection(*reached) if b <= last))


def _reaching(
    strategies: Mapping[str, Mapping[int, Run]], budgets: Sequence[int]
) -> tuple[dict[str, dict[int, Run]], list[LeftOut]]:
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


def _disagreements(doubles: Iterable[LeftOut]) -> Iterator[str]:
    """Tell of runs that should have come to the same as those that count in their place."""
    for left in doubles:
        if not left.repeats:
            yield (
                f"{left.run.folder} is another run of {left.run.strategy} under seed "
                f"{left.run.seed}, and does not come to the same: what differs is not recorded"
            )
