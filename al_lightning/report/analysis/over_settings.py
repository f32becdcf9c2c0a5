"""Strategies over several data sets and models: mean differences, and mean ranks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from scipy.stats import rankdata

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.rules import Rules
from al_lightning.report.statistics.comparison import Comparison, compare
from al_lightning.report.statistics.looks import Basis, basis
from al_lightning.report.statistics.paired import Scores
from al_lightning.report.study.scores import MEASURES


@dataclass(frozen=True)
class OverSettings:
    """Strategies over several settings.

    Attributes:
        settings: How many.
        against: Strategies against the reference on the mean AUBC of the settings, paired by seed, one
            family; the largest difference first.
        ranks: Mean rank of each strategy by AUBC, over the settings; the highest has rank 1.
        basis: The seeds that all of it rests on.
    """

    settings: int
    against: Sequence[Comparison]
    ranks: Mapping[str, float]
    basis: Basis


def over_settings(analyses: Sequence[Analysis], rules: Rules) -> OverSettings | None:
    """Compare the strategies that all settings have.

    The AUBC is averaged over the settings seed by seed, so that runs of one seed may depend on each
    other: on one data set, they share the first labels. Seeds are the sample, not the settings.

    Args:
        analyses: One a setting.
        rules: By which differences are read.

    Returns:
        None where there are no two settings with the same reference and another strategy in common, or
        no planned look is reached.
    """
    key = MEASURES[0].key
    used = [a for a in analyses if a.setting.reference and len(a.scores.get(key, {})) > 1]
    if len(used) < 2:  # noqa: PLR2004 - several
        return None
    all_scores = [analysis.scores[key] for analysis in used]
    reference = used[0].setting.reference
    names = [n for n in all_scores[0] if all(n in scores for scores in all_scores)]
    rests_on = basis({name: _means(all_scores, name) for name in names}, reference, rules)
    others = [name for name in rests_on.compared if name != reference]
    if reference is None or not others or not rests_on.seeds:
        return None
    against = compare(rests_on.scores, reference, others, rules)
    places = [
        rankdata([-fmean(scores[n][s] for s in rests_on.seeds) for n in rests_on.compared])
        for scores in all_scores
    ]
    ranks = {name: fmean(ranks) for name, *ranks in zip(rests_on.compared, *places, strict=True)}
    ordered = sorted(against, key=lambda c: (-c.mean, c.strategy))
    return OverSettings(len(used), ordered, ranks, rests_on)


def _means(settings: Sequence[Scores], name: str) -> dict[int, float]:
    """Return the mean score of a strategy over the settings, by each seed that all of them have."""
    seeds = set.intersection(*(set(scores[name]) for scores in settings))
    return {seed: fmean(scores[name][seed] for scores in settings) for seed in sorted(seeds)}
