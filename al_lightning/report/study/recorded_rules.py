"""The rules of a report that runs were made under, as their journals have them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

from al_lightning.report.rules import Rules
from al_lightning.report.study.runs import Run
from al_lightning.utils.errors import UsageError


def recorded_rules(runs: Sequence[Run]) -> Rules:
    """Return the rules that all runs recorded; the default of each rule that they differ in.

    Runs that recorded none do not count: those of the library, and of ``report=false``.
    """
    found = [rules for run in runs if (rules := _rules(run.config.get("report"))) is not None]
    values = {each.name: {getattr(rules, each.name) for rules in found} for each in fields(Rules)}
    return Rules(**{name: known.pop() for name, known in values.items() if len(known) == 1})


def _rules(report: object) -> Rules | None:
    """Return the rules that a configuration has under ``report``; None where it has none."""
    if report is True:
        return Rules()
    if not isinstance(report, Mapping):
        return None
    try:
        return Rules(**report)
    except (UsageError, TypeError):
        return None  # what a stranger has written
