"""The verdict: the claims that the comparison supports, the answer first.

Every sentence follows from the two families of comparisons: strategies against the reference, and which
can be the best. Their intervals are simultaneous. What is neither better, worse nor the same within the
margin is undecided.
"""

from collections.abc import Sequence

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.rules import Rules
from al_lightning.report.statistics.comparison import Comparison, Outcome
from al_lightning.report.statistics.power import MOST_SEEDS, NeededSeeds, needed_seeds
from al_lightning.report.study.settings import REFERENCE, Setting
from al_lightning.report.wording import count, counted, listed, percent
from al_lightning.report.words.alone import alone, without_runs
from al_lightning.report.words.phrases import (
    are,
    changed_rules,
    difference,
    kept_back,
    label_range,
    needed,
    place,
    saving,
    seed_range,
)

_MOST_NAMED = 4  # in a sentence


def verdict(analysis: Analysis) -> tuple[str, ...]:
    """Return the verdict on a setting: the answer, then a sentence a point."""
    answer, *points = _sentences(analysis)
    if unfinished := len(analysis.setting.unfinished):
        state = f"{counted(unfinished, 'run')} {are(unfinished)} unfinished"
        answer = f"Provisional, as {state}. {answer}"
    return answer, *points, *_rules(analysis), *_caution(analysis.setting)


def _rules(analysis: Analysis) -> list[str]:
    """Return a sentence on the rules of the readings that are not the defaults."""
    changed = changed_rules(analysis.rules)
    if not changed or not (analysis.against or analysis.standings):
        return []
    return [f"Rules that are not the defaults: {listed(changed)}."]


def _caution(setting: Setting) -> list[str]:
    """Return a sentence where runs that should begin alike do not, for no known reason."""
    if not (seeds := setting.unexplained):
        return []
    which = listed([str(seed) for seed in seeds])
    return [
        f"Caution: under {'seed' if len(seeds) == 1 else 'seeds'} {which}, round 0 is not the same "
        "for all strategies, although versions and hardware are: more than the strategy may differ."
    ]


def _sentences(analysis: Analysis) -> list[str]:
    setting = analysis.setting
    on = f"On {place(setting)}"
    if not setting.runs:
        return without_runs(analysis, on)
    if len(setting.runs) == 1:
        return [alone(analysis, on), *_passive(analysis)]
    if len(setting.budgets) == 1:
        return [f"{on}, the runs share round 0 alone, which is the same for all strategies."]
    if setting.reference is None:
        return [*_without_reference(analysis, on), *_passive(analysis)]
    return [*_against_reference(analysis, on), *_passive(analysis)]


def _against_reference(analysis: Analysis, on: str) -> list[str]:
    tested = [c for c in analysis.against if c.interval]
    if not tested:
        return [f"{on}, nothing is claimed: {_why_untested(analysis)}.", *_behind(analysis)]
    return [
        _headline(analysis, on, tested),
        *_group(analysis),
        *_readings(analysis),
        *_basis(analysis),
        *_seeds_needed(analysis),
        *_savings(analysis),
    ]


def _why_untested(analysis: Analysis) -> str:
    against, reference, found = analysis.against, analysis.setting.reference, analysis.basis
    if any(c.outcome is Outcome.NO_SPREAD for c in against):
        return f"each strategy differs from {reference} by the same in all seeds"
    if len(found.compared) > 1:
        seeds = counted(found.shared, "seed") if found.shared else "no seed"
        have = f"{listed(found.compared)} have {seeds} in common"
    elif most := max(c.seeds for c in against):
        have = f"no strategy has more than {counted(most, 'seed')} in common with {reference}"
    else:
        have = f"no strategy has a seed in common with {reference}"
    return f"{have}, and the first planned look takes {analysis.rules.looks[0]}"


def _headline(analysis: Analysis, on: str, tested: Sequence[Comparison]) -> str:
    setting = analysis.setting
    over = f"in AUBC over {label_range(setting)}, {seed_range([c.seeds for c in tested])}"
    better = [c for c in tested if c.outcome is Outcome.BETTER]
    if not better:
        return f"{on}, no strategy is shown to beat {setting.reference} {over}."
    names = listed([c.strategy for c in better])
    return f"{on}, {names} {_verb(better)} {setting.reference} {over}: {_sizes(better)}."


def _verb(several: Sequence[object]) -> str:
    return "beats" if len(several) == 1 else "beat"


def _sizes(comparisons: Sequence[Comparison]) -> str:
    """Return by how much strategies differ; of many, the first ones."""
    if len(comparisons) == 1:
        return f"by {difference(comparisons[0])}"
    shown = [f"{c.strategy} by {difference(c)}" for c in comparisons[:_MOST_NAMED]]
    rest = comparisons[_MOST_NAMED:]
    return listed([*shown, *([f"{len(rest)} more"] if rest else [])])


def _group(analysis: Analysis) -> list[str]:
    """Return a sentence on the strategies that can be the best, if the readings do not say it."""
    names, reference = analysis.can_be_best, analysis.setting.reference
    out = [s.strategy for s in analysis.standings if not s.can_be_best and s.strategy not in names]
    if len(names) > 1 and not out and not analysis.read_as(Outcome.BETTER, Outcome.WORSE):
        return ["No strategy can be told from the best."]
    without = ""
    if out and names == [reference]:  # how the others stand to it, the readings say
        names = [s.strategy for s in analysis.standings if s.can_be_best]
        without = f"Without {reference}, "
    if len(names) > 1:
        return [f"{without}{listed(names)} cannot be told from the best."]
    if len(out) > _MOST_NAMED:
        return [f"All {len(out)} others are shown to be behind {names[0]}."]
    return [f"{listed(out)} {are(len(out))} shown to be behind {names[0]}."] if out else []


def _readings(analysis: Analysis) -> list[str]:
    """Return a sentence a reading, but for those that beat the reference."""
    reference, against = analysis.setting.reference, analysis.against
    by_outcome = {o: [c for c in against if c.outcome is o] for o in Outcome}
    sentences = []
    if worse := by_outcome[Outcome.WORSE]:
        names = f"{listed([c.strategy for c in worse])} {are(len(worse))} worse than {reference}"
        sentences.append(f"{names}: {_sizes(worse)}.")
    for outcome, text in (
        (Outcome.SAME, f"the same as {reference} within {analysis.rules.margin:g} points"),
        (Outcome.UNDECIDED, f"undecided against {reference}"),
        (
            Outcome.UNTESTED,
            f"not compared: fewer than {analysis.rules.looks[0]} seeds in common with {reference}",
        ),
    ):
        if found := by_outcome[outcome]:
            names = listed([c.strategy for c in found])
            sentences.append(f"{names} {are(len(found))} {text}.")
    return sentences


def _seeds_needed(analysis: Analysis) -> list[str]:
    """Return sentences on the seeds that it takes; none where all is decided."""
    if not any(c.outcome is Outcome.UNDECIDED for c in analysis.against):
        return []
    found = needed_seeds(analysis.against, analysis.rules)
    if found is None:
        return []
    size = (
        f"{analysis.rules.difference:g} {'point' if analysis.rules.difference == 1 else 'points'}"
    )
    if found.most is not None and found.most <= len(analysis.basis.seeds):
        return [
            f"A difference of {size} is found with 80% power by {len(analysis.basis.seeds)} seeds."
        ]
    takes = f"To find a difference of {size} with 80% power takes {needed(found)} in all"
    return [f"{takes}: {_at_looks(found, analysis.rules, analysis.basis.shared)}."]


def _at_looks(found: NeededSeeds, rules: Rules, seeds: int) -> str:
    """Return what the looks after so many seeds are good for."""
    look, least = rules.next_look(seeds), found.least or MOST_SEEDS + 1
    if look is None or least > rules.looks[-1]:
        more = "more" if least > rules.looks[-1] else "it may be more"
        plan = "a new study has to plan report.looks beforehand"
        return f"{more} than the planned looks have, and {plan}"
    if found.most is not None and found.most <= look:
        return f"go on to {look} seeds"
    return "more than the next look has" if least > look else "the next look may be enough, or not"


def _basis(analysis: Analysis) -> list[str]:
    """Return sentences on the seeds that readings rest on, and on the next look."""
    seeds = analysis.basis.seeds
    in_a_row = seeds == tuple(range(seeds[0], seeds[-1] + 1))
    named = f"{seeds[0]} to {seeds[-1]}" if in_a_row else listed([str(seed) for seed in seeds])
    look = analysis.rules.next_look(analysis.basis.shared)
    later = (
        "this was the last planned look" if look is None else f"the next look is at {look} seeds"
    )
    return [f"These readings rest on seeds {named}; {later}.", *_behind(analysis)]


def _behind(analysis: Analysis) -> list[str]:
    """Return a sentence on the strategies that keep the others from a later look."""
    found = kept_back(analysis.basis, analysis.setting.reference)
    return [f"{found}."] if found else []


def _savings(analysis: Analysis) -> list[str]:
    """Return a sentence on the labels that those save that beat the reference and can be the best."""
    names = [name for name in analysis.leaders if name in analysis.savings][:_MOST_NAMED]
    if not names:
        return []
    saved = [saving(name, analysis.savings[name]) for name in names]
    return [f"On the way to {analysis.setting.reference}'s final accuracy, {listed(saved)}."]


def _without_reference(analysis: Analysis, on: str) -> list[str]:
    """Return which strategies can be the best, where there is no reference."""
    lags = any(run.strategy == REFERENCE for run in analysis.setting.unfinished)
    missing = (
        f"{REFERENCE}'s runs do not reach these labels yet"
        if lags
        else f"there is no run of {REFERENCE} to compare with"
    )
    names = analysis.can_be_best
    if not names:
        return [
            f"{on}, {missing}, and nothing is claimed: that takes {analysis.rules.looks[0]} seeds in "
            "common, and a spread."
        ]
    over = f"in AUBC over {label_range(analysis.setting)}"
    seeds = counted(len(analysis.basis.seeds), "seed")
    out = [s.strategy for s in analysis.standings if not s.can_be_best]
    if not out:
        return [
            f"{on}, no strategy can be told from the best {over}, {seeds}; {missing}.",
            *_basis(analysis),
        ]
    behind = f"{listed(out)} {are(len(out))} shown to be behind"
    if len(names) == 1:
        return [f"{on}, {behind} {names[0]} {over}, {seeds}; {missing}.", *_basis(analysis)]
    group = f"{listed(names)} cannot be told from the best"
    return [f"{on}, {group} {over}, {seeds}, and {behind}; {missing}.", *_basis(analysis)]


def _passive(analysis: Analysis) -> list[str]:
    """Return a sentence on the accuracy that all labels would have brought."""
    reference, length = analysis.setting.reference, analysis.setting.passive_length
    names = analysis.leaders[:_MOST_NAMED] or [reference or analysis.order[0]]
    gaps = [analysis.gaps[name] for name in names if name in analysis.gaps]
    if not gaps or length is None:
        return []
    shares, baselines = (
        " to ".join(dict.fromkeys(percent(end, 1) for end in (min(values), max(values))))
        for values in ([gap.share for gap in gaps], [gap.accuracy for gap in gaps])
    )
    pairing = "" if all(gap.paired for gap in gaps) else " of the baseline, not paired"
    verb = "reaches" if len(names) == 1 else "reach"
    return [
        f"With {count(analysis.setting.budgets[-1])} of {count(gaps[0].labels)} labels, "
        f"{listed(names)} {verb} {shares}% of "
        f"the accuracy of the passive baseline ({baselines}%, "
        f"{seed_range([gap.seeds for gap in gaps])}{pairing}), which was trained for {length.text}."
    ]
