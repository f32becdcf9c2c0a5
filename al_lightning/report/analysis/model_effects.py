"""What is worth more, the model or the strategy: both effects and their interaction, by budget."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from al_lightning.report.rules import Rules
from al_lightning.report.statistics.looks import look_level
from al_lightning.report.statistics.two_factors import TwoFactors, two_factors
from al_lightning.report.study.runs import Run
from al_lightning.report.study.settings import Setting
from al_lightning.run.curve import area_under_budget_curve


@dataclass(frozen=True)
class ModelEffect:
    """Two models and two strategies on a data set.

    Attributes:
        dataset: What it is called.
        models: Level 0 and 1 of the first factor; the second has the higher AUBC with the reference.
        strategies: The reference and another strategy, level 0 and 1 of the second factor.
        seeds: What all rests on: the lowest ones that the planned look takes, of those under which all
            four runs have the same first labels.
        area: On AUBC over all of ``budgets``, with the intervals that are read: the planned looks and
            all effects of a report share their level.
        budgets: On accuracy by labels, with unadjusted 95 % intervals.
    """

    dataset: str
    models: tuple[str, str]
    strategies: tuple[str, str]
    seeds: tuple[int, ...]
    area: TwoFactors
    budgets: Mapping[int, TwoFactors]


def model_effects(settings: Sequence[Setting], rules: Rules) -> list[ModelEffect]:
    """Compare models with strategies on each data set that has several models, one setting each.

    Args:
        settings: Those that are compared.
        rules: With the looks.

    Returns:
        One a pair of models and a strategy; without those that reach no planned look.
    """
    found = [four for pair in _pairs(settings) for four in _fours(*pair, rules)]
    level = look_level(tuple(rules.looks)) / max(len(found), 1)
    return [_effect(four, 1 - level) for four in found]


@dataclass(frozen=True)
class _Four:
    """The runs of two models with two strategies, by model and strategy."""

    dataset: str
    models: tuple[str, str]
    strategies: tuple[str, str]
    cells: Mapping[tuple[int, int], Mapping[int, Run]]
    seeds: tuple[int, ...]
    budgets: tuple[int, ...]


def _pairs(settings: Sequence[Setting]) -> Iterator[tuple[Setting, Setting]]:
    places = [(setting.dataset, setting.model) for setting in settings]
    alone = [s for s in settings if places.count((s.dataset, s.model)) == 1 and s.reference]
    for one, other in combinations(alone, 2):
        if one.dataset == other.dataset:
            yield one, other


def _fours(one: Setting, other: Setting, rules: Rules) -> Iterator[_Four]:
    budgets = tuple(sorted({*one.budgets} & {*other.budgets}))
    reference = one.reference or ""
    common = [name for name in one.runs if name != reference and name in other.runs]
    if len(budgets) < 2:  # noqa: PLR2004 - no query was made
        return
    for name in common:
        every = [setting.runs[n] for setting in (one, other) for n in (reference, name)]
        shared = sorted(set.intersection(*(set(runs) for runs in every)))
        alike = [s for s in shared if len({runs[s].start for runs in every}) == 1]
        look = rules.look(len(alike))
        if look is None:
            continue
        seeds = tuple(alike[:look])
        first, second = sorted(
            (one, other), key=lambda s: sum(_areas(s.runs[reference], seeds, budgets).values())
        )
        cells = {
            (k, m): setting.runs[n]
            for k, setting in enumerate((first, second))
            for m, n in enumerate((reference, name))
        }
        models = first.model, second.model
        yield _Four(one.dataset, models, (reference, name), cells, seeds, budgets)


def _effect(four: _Four, confidence: float) -> ModelEffect:
    areas = {key: _areas(runs, four.seeds, four.budgets) for key, runs in four.cells.items()}
    return ModelEffect(
        four.dataset,
        four.models,
        four.strategies,
        four.seeds,
        area=two_factors(areas, confidence),
        budgets={labels: two_factors(_accuracies(four, labels)) for labels in four.budgets},
    )


def _accuracies(four: _Four, labels: int) -> dict[tuple[int, int], dict[int, float]]:
    return {
        key: {seed: runs[seed].at(labels).metrics["accuracy"] for seed in four.seeds}
        for key, runs in four.cells.items()
    }


def _areas(
    runs: Mapping[int, Run], seeds: tuple[int, ...], budgets: tuple[int, ...]
) -> dict[int, float]:
    areas = {}
    for seed in seeds:
        heights = [runs[seed].at(labels).metrics["accuracy"] for labels in budgets]
        area = area_under_budget_curve(budgets, heights)
        assert area is not None  # of two budgets
        areas[seed] = area
    return areas
