"""Notes on the runs of a setting: differences that may spoil a comparison."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from al_lightning.report.study.conditions import Facts, differing
from al_lightning.report.study.run_names import plain
from al_lightning.report.study.runs import Run
from al_lightning.report.wording import counted, listed

_Strategies = Mapping[str, Mapping[int, Run]]  # by strategy and seed


def notes(strategies: _Strategies, passive: Mapping[int, Run]) -> Iterator[str]:
    """Yield a sentence, without its full stop, on everything that runs of a setting do not share."""
    runs = [run for by_seed in [*strategies.values(), passive] for run in by_seed.values()]
    for part, facts in (("version", [r.versions for r in runs]), ("", [r.hardware for r in runs])):
        for key in differing(facts):
            values = Counter(plain(each.get(key)) for each in facts)
            several = listed([f"{v} ({counted(n, 'run')})" for v, n in sorted(values.items())])
            what = f"the {part} of {key}" if part else key
            yield (
                f"The runs differ in {what}: {several}. Results may differ in more than the "
                "strategy, and times cannot be compared"
            )
    known = bool(differing_machines(strategies))
    why = (
        "which may be due to the versions or the hardware that differ"
        if known
        else "and neither versions nor hardware explain it: find out what else differs"
    )
    for seed in unshared(strategies):
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


def changed(runs: Iterable[Run]) -> Iterator[str]:
    """Yield a sentence on each project that changed on its way, which a curve does not show."""
    for run in runs:
        if run.changes:
            yield f"{run.folder.as_posix()} changed on its way: {'; '.join(run.changes)}"


def not_compared(
    strategies: _Strategies, conditions: Facts, others: _Strategies, theirs: Facts
) -> str:
    """Return why strategies are not compared with those that ran under other conditions alone."""
    keys = [key for key in conditions if repr(conditions.get(key)) != repr(theirs.get(key))]
    return (
        f"{listed(list(others))} {'is' if len(others) == 1 else 'are'} not compared with "
        f"{listed(list(strategies))}, because {listed(keys)} differs"
    )


def unshared(strategies: _Strategies) -> list[int]:
    """Return the seeds under which round 0 is not the same for all strategies, ascending."""
    first = {
        seed: [
            by_seed[seed].rounds[0].metrics for by_seed in strategies.values() if seed in by_seed
        ]
        for seed in sorted({seed for by_seed in strategies.values() for seed in by_seed})
    }
    return [seed for seed, found in first.items() if any(each != found[0] for each in found)]


def differing_machines(strategies: _Strategies) -> list[str]:
    """Return the versions and the properties of the hardware that are not the same for all runs."""
    runs = [run for by_seed in strategies.values() for run in by_seed.values()]
    return [*differing([r.versions for r in runs]), *differing([r.hardware for r in runs])]
