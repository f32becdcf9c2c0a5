"""Sentences over several data sets and models, which come first in a report."""

from al_lightning.report.analysis.model_effects import ModelEffect
from al_lightning.report.analysis.over_settings import OverSettings
from al_lightning.report.rules import Rules
from al_lightning.report.statistics.paired import PairedDifference
from al_lightning.report.wording import count, counted, decimals_for, interval, listed, points
from al_lightning.report.words.phrases import kept_back, reading, seed_range


def model_sentence(effect: ModelEffect) -> str:
    """Return what is worth more, the model or the strategy."""
    area, budgets = effect.area, effect.budgets
    (one, other), (reference, name) = effect.models, effect.strategies
    first, last = list(budgets)[1], list(budgets)[-1]
    by_budget = [
        f"at {count(labels)} labels it is {points(budgets[labels].first.mean, 1)} against "
        f"{points(budgets[labels].second.mean, 1)}"
        for labels in dict.fromkeys((first, last))
    ]
    return (
        f"On {effect.dataset}, {_answer(area.lead)}: {other} instead of {one} brings "
        f"{_size(area.first)}, {name} instead of {reference} {_size(area.second)} "
        f"(AUBC over [{count(min(budgets))}, {count(last)}] labels, "
        f"{counted(len(effect.seeds), 'seed')}); {listed(by_budget)}. Their interaction is "
        f"{_size(area.interaction)}: what {name} brings more with {other} than with {one}."
    )


def _answer(lead: PairedDifference) -> str:
    """Return which is worth more, as far as the interval tells; without a spread it tells nothing."""
    if not lead.std or lead.low is None or lead.high is None or lead.low <= 0 <= lead.high:
        return "it is open whether the model or the strategy is worth more"
    more, less = ("model", "strategy") if lead.mean > 0 else ("strategy", "model")
    return f"the {more} is worth more than the {less}"


def settings_sentence(found: OverSettings, rules: Rules) -> str:
    """Return how strategies do over several settings on average."""
    reference = found.against[0].reference
    behind = f" ({who})" if (who := kept_back(found.basis, reference)) else ""
    differences = [
        f"{c.strategy} {points(c.mean, decimals_for(c.mean))} points"
        + (f" {interval(*c.interval, decimals_for(c.mean))}" if c.interval else "")
        + f" ({reading(c, rules)})"
        for c in found.against
    ]
    ranks = [
        f"{name} {rank:.1f}" for name, rank in sorted(found.ranks.items(), key=lambda item: item[1])
    ]
    return (
        f"Over {counted(found.settings, 'setting')}, the mean "
        f"difference in AUBC to {reference} is: {listed(differences)}, "
        f"{seed_range([c.seeds for c in found.against])}{behind}. Mean ranks: {listed(ranks)}."
    )


def _size(found: PairedDifference) -> str:
    decimals = decimals_for(found.mean)
    between = ""
    if found.low is not None and found.high is not None:
        between = f" {interval(found.low, found.high, decimals)}"
    return f"{points(found.mean, decimals)} points{between}"
