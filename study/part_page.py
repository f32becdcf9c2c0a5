"""The page of a part: its verdict, its pictures and its tables, all of it made."""

from collections.abc import Iterator, Mapping, Sequence

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.page.chapter import tables_of
from al_lightning.report.tables.formats import Table, to_markdown
from al_lightning.report.words.verdict import verdict
from study.part import Part

_TABLES = {
    "accuracy_by_budget": "Accuracy",
    "macro_f1_by_budget": "Macro-F1",
    "against_reference": "Lead over `random`",
    "beside": "Beside part {0.beside}",
    "against_best": "Which can be the best",
    "label_savings": "Labels saved",
    "passive_savings": "Beside all labels",
    "class_recall": "The classes one by one",
    "times": "Where the time goes",
}


def part_page(
    part: Part, analysis: Analysis, pictures: Sequence[str], beside: Table | None = None
) -> str:
    """Return the page of a part as Markdown.

    Args:
        part: Of the study.
        analysis: Of its runs.
        pictures: The kinds of those that it shows.
        beside: The table of its strategies beside those of another part; None without one.
    """
    tables = tables_of(analysis) | ({} if beside is None else {"beside": beside})
    return "\n\n".join(_paragraphs(part, analysis, pictures, tables)) + "\n"


def _paragraphs(
    part: Part, analysis: Analysis, pictures: Sequence[str], tables: Mapping[str, Table]
) -> Iterator[str]:
    yield f"# Part {part.name}: {part.title}"
    yield f"{part.question} [The study](../study.md) has the answers of all parts together."
    settings = " ".join(part.overrides)
    yield f"A run is `python -m al_lightning {settings} strategy=... seed=... threads=1`."
    for strategy, overrides in part.strategy_overrides.items():
        if strategy in analysis.setting.runs:
            yield f"With `strategy={strategy}`, also `{' '.join(overrides)}`."
    yield "\n".join(f"- {sentence}" for sentence in verdict(analysis))
    compared = analysis.setting.runs.keys() | ({"passive"} if analysis.setting.passive else set())
    if left := [f"`{name}`" for name in part.strategies if name not in compared]:
        yield (
            f"This is provisional: the runs of {', '.join(left)} are not finished. Every strategy "
            "that is added widens the intervals, and may take back what is said here."
        )
    for kind in pictures:
        yield f"![{_PICTURES[kind]}]({part.name}/{kind}.svg)"
    for name, heading in _TABLES.items():
        if name in tables:
            yield f"## {heading.format(part)}"
            yield to_markdown(tables[name]).strip()


_PICTURES = {
    "selected": "Accuracy over the number of labels, some strategies",
    "difference": "Lead over random in accuracy over the number of labels",
}
