"""Which runs may be compared with which, and over which labels.

Runs are paired by seed, and never by their order. What cannot be paired is left out, and named.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, TypeVar

from al_lightning.keys import NO_EFFECT_ON_RESULTS, is_below
from al_lightning.report.run import Run
from al_lightning.report.wording import count, counted, listed

#: The strategy that the others are compared with, where there are runs of it.
REFERENCE = "random"

# What strategies are compared over, and so no part of the conditions that they share; how far a run
# goes is seen from its rounds.
_COMPARED = ("strategy", "seed", "query_seed", "spend", "budget.total")
# Of the trainer: where it computes, and what it shows. Hardware that differs is noted.
_NO_CONDITION = (
    *NO_EFFECT_ON_RESULTS,
    "trainer.accelerator",
    "trainer.devices",
    "trainer.enable_checkpointing",
    "trainer.enable_model_summary",
    "trainer.enable_progress_bar",
    "trainer.log_every_n_steps",
)
_BUDGET = ("budget",)  # a baseline on all labels has another one by its nature
_NAMED_KEYS = 4  # of what tells a setting apart; more would hide its name
_LONGEST_VALUE = 40  # characters

_K = TypeVar("_K")
_Facts = Mapping[str, Any]


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
    differences: _Facts
    runs: Mapping[str, Mapping[int, Run]]
    passive: Mapping[int, Run]
    budgets: tuple[int, ...]
    reference: str | None
    unfinished: tuple[Run, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    unexplained: tuple[int, ...]

    @property
    def all_runs(self) -> list[Run]:
        """All runs that are compared, those on all labels last."""
        groups = [*self.runs.values(), self.passive]
        return [run for by_seed in groups for run in by_seed.values()]


def build_study(runs: Iterable[Run]) -> list[Setting]:
    """Sort runs into settings, in the order of their names."""
    groups = _grouped(sorted(runs, key=_order), _conditions)
    active = {key: [r for r in group if not r.passive] for key, group in groups.items()}
    passive = [run for group in groups.values() for run in group if run.passive]
    settings: list[tuple[_Facts, list[Run], list[Run]]] = []
    for group in active.values():
        if group:
            shared = _without_budget(group[0])
            settings.append((_facts(group[0]), group, _baseline(_of(passive, shared), group[0])))
    taken = {id(run) for _, _, baseline in settings for run in baseline}
    lonely = _grouped([r for r in passive if id(r) not in taken], _without_budget)
    settings += [(_facts(group[0]), [], group) for group in lonely.values()]
    named = _named([(facts, (active or baseline)[0]) for facts, active, baseline in settings])
    built = [
        _setting(name, differences, active, baseline)
        for (name, differences), (_, active, baseline) in zip(named, settings, strict=True)
    ]
    return sorted((_with_notes(each, built) for each in built), key=lambda each: each.name)


def flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Return the leaves of nested mappings by dotted keys; what is null counts as absent."""
    if isinstance(value, Mapping):
        parts = [flat(inner, f"{prefix}{key}.") for key, inner in value.items()]
        return {key: leaf for part in parts for key, leaf in part.items()}
    return {} if value is None else {prefix.removesuffix("."): value}


# Conditions: what runs must have in common


def _facts(run: Run, besides: Collection[str] = ()) -> dict[str, Any]:
    """Return all that runs must have in common to be compared, by dotted keys."""
    ignored = (*_COMPARED, *_NO_CONDITION, *besides)
    config = {k: v for k, v in flat(run.config).items() if not is_below(k, ignored)}
    return {
        **config,
        "dataset": run.dataset,
        "model": run.model,
        # A library's configuration may hold neither data nor model: what the journal saw of them.
        "model.trainable_parameters": run.trainable_parameters,
        "data.classes": ", ".join(run.classes),
        "data.train": run.data.get("train"),
        "data.test": run.data.get("test"),
        "data.fingerprint": run.data.get("fingerprint"),
        # It rounds every step, which may favour one model or strategy; a device does not.
        "trainer.precision": run.hardware.get("precision"),
    }


def _conditions(run: Run) -> str:
    return _key(_facts(run))


def _without_budget(run: Run) -> str:
    return _key(_facts(run, _BUDGET))


def _key(facts: _Facts) -> str:
    return repr(sorted((key, repr(value)) for key, value in facts.items()))


def _of(passive: Iterable[Run], conditions: str) -> list[Run]:
    return [run for run in passive if _without_budget(run) == conditions]


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
    ]
    notes = [
        f"{listed(list(other.runs))} {'is' if len(other.runs) == 1 else 'are'} not compared with "
        f"{listed(list(setting.runs))}, because "
        f"{listed([k for k in setting.differences if _differs(k, setting, other)])} differs"
        for other in apart
    ]
    return replace(setting, notes=(*setting.notes, *notes))


def _differs(key: str, one: Setting, other: Setting) -> bool:
    return repr(one.differences.get(key)) != repr(other.differences.get(key))


def _order(run: Run) -> tuple[str, str, str, int, str]:
    seed = -1 if run.seed is None else run.seed
    return run.dataset, run.model, run.strategy, seed, str(run.folder)


def _named(settings: Sequence[tuple[_Facts, Run]]) -> list[tuple[str, _Facts]]:
    """Return names for settings, and what tells each apart from others of its data set and model."""
    taken: Counter[str] = Counter()
    named: list[tuple[str, _Facts]] = []
    for facts, run in settings:
        alike = [f for f, r in settings if (r.dataset, r.model) == (run.dataset, run.model)]
        differences = {key: facts.get(key) for key in _differing(alike)}
        name = _with(f"{run.dataset} with {run.model}", differences)
        taken[name] += 1
        named.append((name if taken[name] == 1 else f"{name}, variant {taken[name]}", differences))
    return named


def _differing(facts: Sequence[_Facts]) -> list[str]:
    keys = sorted({key for each in facts for key in each})
    return [key for key in keys if len({repr(each.get(key)) for each in facts}) > 1]


def _with(name: str, differences: _Facts) -> str:
    parts = [f"{key}={_plain(value)}" for key, value in differences.items()]
    shown = parts[:_NAMED_KEYS]
    if len(parts) > len(shown):
        shown.append(counted(len(parts) - len(shown), "more key"))
    return ", ".join([name, *shown])


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE].rstrip()}\u2026"


# Inside a setting


def _setting(
    name: str, differences: _Facts, active: Sequence[Run], passive: Sequence[Run]
) -> Setting:
    begun, left_out = _begun([*active, *passive])
    labels = _strategy_labels([run for run in begun if not run.passive])
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
            run for run in [*active, *passive] if not run.finished and id(run) not in replaced
        ),
        left_out=(*left_out, *others, *doubles, *more_doubles, *short),
        notes=(*_notes(used, baseline), *_disagreements([*doubles, *more_doubles])),
        unexplained=() if _differing_machines(used) else tuple(_unshared(used)),
    )


def _begun(runs: Iterable[Run]) -> tuple[list[Run], list[LeftOut]]:
    """Tell runs with a score and a seed from the others."""
    kept, left_out = [], []
    for run in runs:
        if not run.rounds:
            left_out.append(LeftOut(run, "no round of it is finished yet"))
        elif run.seed is None:
            left_out.append(LeftOut(run, "its configuration holds no seed to pair it by"))
        else:
            kept.append(run)
    return kept, left_out


def _strategy_labels(runs: Sequence[Run]) -> dict[int, str]:
    """Return what the strategy of each run is called, by the run's id().

    Where strategies of one name are set up differently, what differs joins the name. The one that
    leaves all of it null keeps the plain name.
    """
    labels: dict[int, str] = {}
    for name, group in _grouped(runs, lambda run: run.strategy).items():
        setups = {id(run): flat({"strategy": run.config.get("strategy")}) for run in group}
        differing = _differing(list(setups.values()))
        for run in group:
            parts = [
                _part(key.removeprefix("strategy."), value)
                for key in differing
                if (value := setups[id(run)].get(key)) is not None
            ]
            labels[id(run)] = ", ".join([name, *parts])
    return _with_query_seeds(runs, labels)


def _part(key: str, value: Any) -> str:
    """Return a key and its value; of what is to be made, the class alone: "score=Margin"."""
    if key.rsplit(".", maxsplit=1)[-1] != "_target_":
        return f"{key}={_plain(value)}"
    kind = str(value).rpartition(".")[2]
    parent = key.removesuffix("_target_").removesuffix(".")
    return f"{parent}={kind}" if parent else kind


def _with_query_seeds(runs: Sequence[Run], labels: Mapping[int, str]) -> dict[int, str]:
    """Tell runs apart that share strategy and seed, but draw from other query seeds."""
    result = dict(labels)
    for label, group in _grouped(runs, lambda run: labels[id(run)]).items():
        drawn = {run.seed: set[Any]() for run in group}
        for run in group:
            drawn[run.seed].add(run.config.get("query_seed"))
        if all(len(query_seeds) == 1 for query_seeds in drawn.values()):
            continue
        for run in group:
            if (query_seed := run.config.get("query_seed")) is not None:
                result[id(run)] = f"{label}, query_seed={query_seed}"
    return result


def _same_start(runs: Sequence[Run]) -> tuple[list[Run], list[LeftOut]]:
    """Keep the runs that start from the labels that most runs of their seed start from."""
    kept, left_out = [], []
    for seed, group in _grouped(runs, lambda run: run.seed).items():
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
    for label, group in sorted(_grouped(runs, lambda run: labels[id(run)]).items()):
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


# What to know of the runs


def _notes(
    strategies: Mapping[str, Mapping[int, Run]], passive: Mapping[int, Run]
) -> Iterator[str]:
    runs = [run for by_seed in [*strategies.values(), passive] for run in by_seed.values()]
    for part, facts in (("version", [r.versions for r in runs]), ("", [r.hardware for r in runs])):
        for key in _differing(facts):
            values = Counter(_plain(each.get(key)) for each in facts)
            several = listed([f"{v} ({counted(n, 'run')})" for v, n in sorted(values.items())])
            what = f"the {part} of {key}" if part else key
            yield (
                f"The runs differ in {what}: {several}. Results may differ in more than the "
                "strategy, and times cannot be compared"
            )
    known = bool(_differing_machines(strategies))
    why = (
        "which may be due to the versions or the hardware that differ"
        if known
        else "and neither versions nor hardware explain it: find out what else differs"
    )
    for seed in _unshared(strategies):
        yield (
            f"Under seed {seed}, the strategies do not share the results of round 0, although they "
            f"start from the same labels, {why}"
        )
    every = {seed for by_seed in strategies.values() for seed in by_seed}
    for name, by_seed in strategies.items():
        if missing := sorted(every - by_seed.keys()):
            which = (
                f"{'seed' if len(missing) == 1 else 'seeds'} {listed([str(s) for s in missing])}"
            )
            yield f"There is no run of {name} under {which} that can be compared"


def _disagreements(doubles: Iterable[LeftOut]) -> Iterator[str]:
    """Tell of runs that should have come to the same as those that count in their place."""
    for left in doubles:
        if not left.repeats:
            yield (
                f"{left.run.folder} is another run of {left.run.strategy} under seed "
                f"{left.run.seed}, and does not come to the same: what differs is not recorded"
            )


def _unshared(strategies: Mapping[str, Mapping[int, Run]]) -> list[int]:
    """Return the seeds under which round 0 is not the same for all strategies, ascending."""
    first = {
        seed: [
            by_seed[seed].rounds[0].metrics for by_seed in strategies.values() if seed in by_seed
        ]
        for seed in sorted({seed for by_seed in strategies.values() for seed in by_seed})
    }
    return [seed for seed, found in first.items() if any(each != found[0] for each in found)]


def _differing_machines(strategies: Mapping[str, Mapping[int, Run]]) -> list[str]:
    """Return the versions and the properties of the hardware that are not the same for all runs."""
    runs = [run for by_seed in strategies.values() for run in by_seed.values()]
    return [*_differing([r.versions for r in runs]), *_differing([r.hardware for r in runs])]


def _grouped(runs: Iterable[Run], key: Callable[[Run], _K]) -> dict[_K, list[Run]]:
    groups: dict[_K, list[Run]] = {}
    for run in runs:
        groups.setdefault(key(run), []).append(run)
    return groups
