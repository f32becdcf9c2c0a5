"""What comes first in a report on several data sets or models."""

from collections.abc import Sequence
from dataclasses import dataclass

from al_lightning.report.analysis.model_effects import model_effects
from al_lightning.report.analysis.over_settings import over_settings
from al_lightning.report.analysis.results import Analysis
from al_lightning.report.rules import Rules
from al_lightning.report.tables.formats import Table
from al_lightning.report.tables.model_table import model_effects_table
from al_lightning.report.words.overview import model_sentence, settings_sentence

_MOST = 4  # sentences on models; the table has all


@dataclass(frozen=True)
class Overview:
    """What is said of several settings together.

    Attributes:
        sentences: On models against strategies, then over all settings; empty where there is one.
        models: What model and strategy bring by budget; None where no data set has several models.
    """

    sentences: Sequence[str]
    models: Table | None


def write_overview(analyses: Sequence[Analysis], rules: Rules) -> Overview:
    """Write what is said of several settings together.

    Args:
        analyses: One a setting that is compared.
        rules: By which differences are read.
    """
    compared = [analysis for analysis in analyses if not analysis.setting.trial]
    effects = model_effects([analysis.setting for analysis in compared], rules)
    found = over_settings(compared, rules)
    return Overview(
        [
            *(model_sentence(effect) for effect in effects[:_MOST]),
            *([settings_sentence(found, rules)] if found else []),
        ],
        model_effects_table(effects),
    )
