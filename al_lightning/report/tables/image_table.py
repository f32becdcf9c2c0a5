"""The table of intervals over seeds alone, and over seeds and test images."""

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.statistics.paired import paired_difference
from al_lightning.report.study.scores import MEASURES
from al_lightning.report.tables.cells import NONE, count_cell, strategy_cell
from al_lightning.report.tables.formats import Cell, Column, Table
from al_lightning.report.wording import count, interval, points


def seeds_and_images(analysis: Analysis) -> Table | None:
    """Differences to the reference, for other seeds, and for other seeds and other images."""
    sample, reference = analysis.image_sample, analysis.setting.reference
    if sample is None or not sample.differences:
        return None
    measures = [measure for measure in MEASURES if measure.key in sample.differences]
    names = [name for name in analysis.order if name in sample.differences[measures[0].key]]
    rows = []
    for name in names:
        cells = []
        for measure in measures:
            scores = analysis.scores[measure.key]
            alone = paired_difference(scores[name], scores[reference or ""])
            both = sample.differences[measure.key][name]
            cells += [
                Cell(points(both.mean), {measure.key: both.mean}),
                _interval(f"{measure.key}_seeds", alone.low, alone.high),
                _interval(f"{measure.key}_seeds_and_images", both.low, both.high),
            ]
        rows.append([strategy_cell(name), count_cell("seeds", len(alone.seeds)), *cells])
    return Table(
        name="seeds_and_images",
        caption=f"Differences to {reference} in percentage points, with 95% intervals, unadjusted. "
        "Over seeds: what other first labels and weights would give on these "
        f"{count(sample.images)} test images. Over seeds and images: on other test images of the "
        "kind, too. Paired by seed and by image. Readings rest on seeds alone.",
        columns=[
            Column("strategy", numeric=False),
            Column("seeds"),
            *(
                Column(heading)
                for measure in measures
                for heading in (measure.name, "over seeds", "over seeds and images")
            ),
        ],
        rows=rows,
    )


def _interval(key: str, low: float | None, high: float | None) -> Cell:
    text = NONE if low is None or high is None else interval(low, high)
    return Cell(text, {f"{key}_low": low, f"{key}_high": high})
