"""What the tables of a report hold."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from al_lightning.keys import HYPERPARAMETERS, is_below
from al_lightning.report.analysis import Analysis
from al_lightning.report.area import area_under_budget_curve
from al_lightning.report.comparison import Comparison, Outcome
from al_lightning.report.costs import Costs
from al_lightning.report.curves import metric_name
from al_lightning.report.efficiency import Bounded, Crossing
from al_lightning.report.figures import by_penalty
from al_lightning.report.penalty import PenaltyMatrix
from al_lightning.report.run import PHASES, Run
from al_lightning.report.savings import PASSIVE_SHARES
from al_lightning.report.scores import MEASURES, Curve, Scores
from al_lightning.report.tables import Cell, Column, Raw, Table, word
from al_lightning.report.verdict import bounded_percent, more_seeds
from al_lightning.report.wording import count, interval, p_value, percent, points, seconds

_NONE = "\u2013"
_FINAL_METRICS = (
    "accuracy",
    "balanced_accuracy",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "nll",
    "ece",
)
_HEADS = {"nll": "NLL", "ece": "ECE"}  # their full names would push the last ones off the page
_NOT_SHARES = ("nll",)
_CROSSING_MARKS = {"reached": "", "at_start": "\u2264 ", "never": "> "}


def against_reference(analysis: Analysis) -> Table | None:
    """Each strategy against the reference on the first measure; None where there is none."""
    setting, key = analysis.setting, MEASURES[0].key
    found = analysis.against.get(key)
    if not found or setting.reference is None:
        return None
    over = f"[{count(setting.budgets[0])}, {count(setting.budgets[-1])}]"
    values = analysis.scores[key]
    mine = values[setting.reference]
    reference = [
        _strategy(setting.reference),
        _count("seeds", len(mine)),
        _share_cell("aubc", fmean(mine.values())),
        _share_cell("aubc_of_reference", None),
        *_no_comparison(),
    ]
    return Table(
        name="against_reference",
        caption=f"AUBC of accuracy over {over} labels, that of {setting.reference} over the same "
        "seeds, and their difference, paired by seed: mean, 95% interval by Student's t, two-sided "
        "p adjusted by Holm over the strategies, exact Wilcoxon signed-rank p from 6 seeds on. In "
        "percentage points.",
        columns=[
            Column("strategy", numeric=False),
            Column("seeds"),
            Column("AUBC"),
            Column(f"{setting.reference}, same seeds"),
            Column(f"to {setting.reference}"),
            Column("95% interval"),
            Column("p (Holm)"),
            Column("p (Wilcoxon)"),
            Column("reading", numeric=False),
        ],
        rows=[*([*_paired_aubc(c, values), *_comparison(c)] for c in found), reference],
    )


def all_pairs(analysis: Analysis) -> Table | None:
    """All pairs of strategies on the first measure; None where there are no two."""
    if not analysis.pairs:
        return None
    ordered = sorted(analysis.pairs, key=lambda c: (c.p is None, c.p, -abs(c.mean)))
    rows = [
        [
            _strategy(c.strategy),
            word("reference", c.reference),
            Cell(str(c.seeds), {"seeds": c.seeds}),
            *_comparison(c),
        ]
        for c in ordered
    ]
    return Table(
        name="all_pairs",
        caption="All pairs of strategies on AUBC of accuracy: first minus second, in percentage "
        "points, paired by seed; p adjusted by Holm over all pairs.",
        columns=[
            Column("strategy", numeric=False),
            Column("against", numeric=False),
            Column("seeds"),
            Column("difference"),
            Column("95% interval"),
            Column("p (Holm)"),
            Column("p (Wilcoxon)"),
            Column("reading", numeric=False),
        ],
        rows=rows,
    )


def other_measures(analysis: Analysis) -> Table | None:
    """Each strategy against the reference on the other measures; None where there is none."""
    measures = [m for m in MEASURES[1:] if m.key in analysis.against]
    if not measures:
        return None
    found = {m.key: {c.strategy: c for c in analysis.against[m.key]} for m in measures}
    names = [c.strategy for c in analysis.against[measures[0].key]]
    return Table(
        name="other_measures",
        caption=f"Differences to {analysis.setting.reference} on other measures, paired by seed, "
        "in percentage points with 95% intervals; * where p, adjusted by Holm within the measure, "
        "is below 0.05. They do not enter the verdict.",
        columns=[
            Column("strategy", numeric=False),
            *(Column(measure.name) for measure in measures),
        ],
        rows=[
            [_strategy(name), *(_starred(found[m.key][name], m.key) for m in measures)]
            for name in names
        ],
    )


def final_scores(analyses: Sequence[Analysis]) -> Table | None:
    """All strategies at their last common budget, and the passive baselines."""
    several = len(analyses) > 1
    known = [m for m in _FINAL_METRICS if any(m in a.metrics for a in analyses)]
    rows = []
    for analysis in analyses:
        setting = analysis.setting
        where = [word("setting", setting.name)]
        for name in analysis.order:
            ends = {m: analysis.curves[m].get(name) for m in known if m in analysis.curves}
            rows.append([_strategy(name), *where, *_ends(ends, known)])
        if setting.passive:
            rows.append([_strategy("passive"), *where, *_ends(analysis.passive, known)])
    if not several:
        rows = [[row[0], *row[2:]] for row in rows]
    return (
        Table(
            name="final_scores",
            caption="Test scores at the last common budget: mean of the seeds that each has, "
            "\u00b1 half of the 95% interval by Student's t; not paired, so that they are for a look, "
            "and no test. In per cent, but for the negative log-likelihood, NLL (nats). "
            "ECE is the calibration error.",
            columns=[
                Column("strategy", numeric=False),
                *([Column("setting", numeric=False)] if several else []),
                Column("labels"),
                Column("seeds"),
                *(Column(_HEADS.get(m, metric_name(m).removeprefix("macro "))) for m in known),
            ],
            rows=rows,
        )
        if rows
        else None
    )


def tuning(analyses: Sequence[Analysis]) -> Table | None:
    """Values of hyperparameters by what they come to on validation labels; None where none differ."""
    trials = [
        (setting, name, value)
        for setting in (analysis.setting for analysis in analyses)
        if setting.differences and all(is_below(k, HYPERPARAMETERS) for k in setting.differences)
        for name, runs in setting.runs.items()
        if (value := _validation_area(runs.values(), setting.budgets)) is not None
    ]
    if not trials:
        return None
    ordered = sorted(trials, key=lambda trial: (-trial[2], trial[0].name, trial[1]))
    return Table(
        name="tuning",
        caption="Hyperparameters by AUBC of the accuracy on validation labels, mean of the seeds, the "
        "best first. Choose by this table: the test scores below must not choose, as what is chosen "
        "by them is flattered by them.",
        columns=[
            Column("setting", numeric=False),
            Column("strategy", numeric=False),
            Column("seeds"),
            Column("AUBC, validation"),
        ],
        rows=[
            [
                word("setting", setting.name),
                word("strategy", name),
                _count("seeds", len(setting.runs[name])),
                _share_cell("validation_aubc", value),
            ]
            for setting, name, value in ordered
        ],
    )


def label_savings(analysis: Analysis) -> Table | None:
    """Labels to come to the reference's final accuracy; None without a reference."""
    reference = analysis.setting.reference
    if not analysis.savings or reference is None:
        return None
    rows = []
    for name in [name for name in analysis.order if name in analysis.savings]:
        found = analysis.savings[name]
        saving = f"{found.seeds_saving} of {found.seeds}"
        rows.append(
            [
                _strategy(name),
                _crossing("labels_needed", found.strategy),
                _crossing("reference_needs", found.reference),
                _share("saved", found.saved),
                Cell(saving, {"seeds_saving": found.seeds_saving, "seeds": found.seeds}),
                _saved_range(found.extremes),
                Cell(points(-found.shortfall), {"ends_above": -found.shortfall}),
            ]
        )
    return Table(
        name="label_savings",
        caption=f"Labels until the mean curve first comes to {reference}'s accuracy at the last "
        "common budget, by linear interpolation. >: not within the budget; "
        "\u2264: from the first labels on. Labels saved follow with their bounds. Then: seeds in "
        f"which the strategy needs fewer labels than {reference} of the same seed for what that "
        "comes to, what they save at least and at most, and how far above that accuracy the mean "
        "curve ends, in percentage points.",
        columns=[
            Column("strategy", numeric=False),
            Column("labels needed"),
            Column(f"{reference} needs"),
            Column("labels saved, %"),
            Column("seeds that save"),
            Column("by seed, %"),
            Column("ends above by"),
        ],
        rows=rows,
    )


def passive_savings(analysis: Analysis) -> Table | None:
    """Labels to come near the passive baseline; None without one."""
    if not analysis.gaps:
        return None
    labels = next(iter(analysis.gaps.values())).labels
    rows = []
    for name in [name for name in analysis.order if name in analysis.gaps]:
        gap = analysis.gaps[name]
        rows.append(
            [
                _strategy(name),
                Cell(
                    f"{gap.seeds}{'' if gap.paired else ', not paired'}",
                    {"seeds": gap.seeds, "paired": gap.paired},
                ),
                _share_cell("final_accuracy", gap.final),
                _share_cell("passive_accuracy", gap.accuracy),
                Cell(f"{percent(gap.share, 1)}%", {"share_of_passive": gap.share}),
                *(_crossing_share(s, gap.shares[s], gap.labels) for s in PASSIVE_SHARES),
            ]
        )
    return Table(
        name="passive_savings",
        caption=f"Against the passive baseline with all {count(labels)} labels, over the seeds "
        "that both have: accuracy at the last common budget, that of the baseline, the share of it, "
        "and the share of all labels until the mean curve comes to 95, 98, 99 and "
        "100% of the baseline's accuracy. >: not within the budget; \u2264: from the first labels "
        "on.",
        columns=[
            Column("strategy", numeric=False),
            Column("seeds"),
            Column("accuracy, %"),
            Column("passive, %"),
            Column("of passive"),
            *(Column(f"labels for {percent(s, 0)}%") for s in PASSIVE_SHARES),
        ],
        rows=rows,
    )


def penalties(matrix: PenaltyMatrix) -> Table:
    """Who beats whom how often."""
    order = by_penalty(matrix)
    rows = []
    for i in order:
        value, name = float(matrix.penalties[i]), matrix.names[i]
        wins = [_number(f"beats_{matrix.names[j]}", matrix.matrix[i, j], i == j) for j in order]
        rows.append([_strategy(name), *wins, _number("penalty", value)])
    return Table(
        name="penalties",
        caption="Penalty matrix (Ash et al. 2020): the share of the common budgets at which the "
        "row beats the column in a two-sided paired t test at 5%, mean of the settings in which both "
        "ran (the paper sums). The mean of a strategy's column, the penalty, tells how often it is "
        "beaten: lower is better. Not "
        "corrected for the number of tests.",
        columns=[
            Column("strategy", numeric=False),
            *(Column(matrix.names[j]) for j in order),
            Column("penalty"),
        ],
        rows=rows,
    )


def class_recall(analysis: Analysis) -> Table | None:
    """Recall of each class at the last common budget; None where no journal tells."""
    report = analysis.classes
    if report is None or not report.recall:
        return None
    values = {name: report.recall[name] for name in analysis.order if name in report.recall}
    if report.passive_recall:
        values["passive"] = report.passive_recall
    return _by_class(
        "class_recall",
        "Recall of each class at the last common budget, in per cent, mean of the seeds.",
        values,
        report.names,
    )


def class_mix(analysis: Analysis) -> Table | None:
    """What share of the queries each class has; None where nothing was asked."""
    report = analysis.classes
    if report is None or not report.mix:
        return None
    values: dict[str, Sequence[float]] = {
        n: report.mix[n] for n in analysis.order if n in report.mix
    }
    if report.pool:
        values["pool"] = report.pool.shares
    return _by_class(
        "class_mix",
        "Share of each class in all queries, in per cent.",
        values,
        report.names,
    )


def times(analysis: Analysis) -> Table | None:
    """Where the time went; None where there are no runs."""
    if not analysis.costs and analysis.passive_costs is None:
        return None
    all_costs = {name: analysis.costs[name] for name in analysis.order}
    if analysis.passive_costs is not None:
        all_costs["passive"] = analysis.passive_costs
    reference = analysis.setting.reference
    to_reach = f"to {reference}'s accuracy" if reference else "to the reference's accuracy"
    return Table(
        name="times",
        caption="Seconds of a mean round by phase, of a mean query (scoring the pool and "
        "selecting), of a run, and of its fits and queries until the mean curve comes to the "
        "reference's final accuracy. As measured: what else the machine did at the time is in "
        "them.",
        columns=[
            Column("strategy", numeric=False),
            *(Column(phase) for phase in PHASES),
            Column("a query"),
            Column("query / fit, %"),
            Column("a run"),
            Column(to_reach),
        ],
        rows=[[_strategy(name), *_times(found)] for name, found in all_costs.items()],
    )


def runs(analyses: Sequence[Analysis]) -> Table | None:
    """Every run that is compared, and where its journal is."""
    rows = [
        [
            _strategy(run.strategy),
            word("setting", analysis.setting.name),
            Cell(str(run.seed), {"seed": run.seed}),
            _count("labels", run.labels[-1]),
            _count("validation_labels", run.validation_labels),
            _count("rounds", len(run.rounds)),
            Cell("yes" if run.finished else "no", {"finished": run.finished}),
            word("folder", run.folder.as_posix()),
        ]
        for analysis in analyses
        for run in analysis.setting.all_runs
    ]
    return (
        Table(
            name="runs",
            caption="The runs that are compared.",
            columns=[
                Column("strategy", numeric=False),
                Column("setting", numeric=False),
                Column("seed"),
                Column("labels"),
                Column("for validation"),
                Column("rounds"),
                Column("finished", numeric=False),
                Column("folder", numeric=False),
            ],
            rows=rows,
        )
        if rows
        else None
    )


def _strategy(name: str) -> Cell:
    return word("strategy", name)


def _count(key: str, value: int) -> Cell:
    return Cell(count(value), {key: value})


def _paired_aubc(comparison: Comparison, values: Scores) -> list[Cell]:
    """Return what a difference is made of: scores of both sides over the seeds that both have."""
    seeds = comparison.difference.seeds if comparison.difference else ()
    mine, other = (values.get(n, {}) for n in (comparison.strategy, comparison.reference))
    return [
        _strategy(comparison.strategy),
        _count("seeds", len(seeds)),
        _share_cell("aubc", fmean(mine[s] for s in seeds) if seeds else None),
        _share_cell("aubc_of_reference", fmean(other[s] for s in seeds) if seeds else None),
    ]


def _validation_area(runs: Iterable[Run], budgets: Sequence[int]) -> float | None:
    """Return the mean AUBC on validation labels; None where some have none, or no area."""
    areas = []
    for run in runs:
        heights = [run.at(b).validation.get("accuracy") for b in budgets]
        known = [height for height in heights if height is not None]
        area = area_under_budget_curve(budgets, known) if len(known) == len(heights) else None
        if area is None:
            return None
        areas.append(area)
    return fmean(areas)


def _share_cell(key: str, value: float | None) -> Cell:
    return Cell(_NONE if value is None else percent(value), {key: value})


def _comparison(comparison: Comparison) -> list[Cell]:
    found = comparison.difference
    if found is None:
        return _no_comparison("no common seed")
    low, high = found.low, found.high
    between = interval(low, high) if low is not None and high is not None else _NONE
    reading = str(comparison.outcome)
    if comparison.outcome is Outcome.UNDECIDED:
        reading = f"{reading}, {more_seeds(comparison)}"
    return [
        Cell(points(found.mean), {"difference": found.mean}),
        Cell(between, {"low": low, "high": high}),
        Cell(_p(comparison.p), {"p": found.p, "p_holm": comparison.p}),
        Cell(_p(found.wilcoxon_p), {"p_wilcoxon": found.wilcoxon_p}),
        Cell(
            reading,
            {
                "reading": str(comparison.outcome),
                "seeds_compared": comparison.seeds,
                "seeds_needed": comparison.needed,
            },
        ),
    ]


def _no_comparison(reading: str = "reference") -> list[Cell]:
    return [
        Cell(_NONE, {"difference": None}),
        Cell(_NONE, {"low": None, "high": None}),
        Cell(_NONE, {"p": None, "p_holm": None}),
        Cell(_NONE, {"p_wilcoxon": None}),
        Cell(reading, {"reading": reading, "seeds_compared": None, "seeds_needed": None}),
    ]


def _starred(comparison: Comparison, key: str) -> Cell:
    found = comparison.difference
    raw: dict[str, Raw] = {
        key: found.mean if found else None,
        f"{key}_low": found.low if found else None,
        f"{key}_high": found.high if found else None,
        f"{key}_p_holm": comparison.p,
    }
    if found is None:
        return Cell(_NONE, raw)
    between = (
        f" {interval(found.low, found.high)}"
        if found.low is not None and found.high is not None
        else ""
    )
    star = "*" if comparison.outcome in (Outcome.BETTER, Outcome.WORSE) else ""
    return Cell(f"{points(found.mean)}{star}{between}", raw)


def _ends(curves: Mapping[str, Curve | None], metrics: Sequence[str]) -> list[Cell]:
    """Return labels, seeds and the last points of some curves."""
    known = [curve for curve in curves.values() if curve]
    return [
        _count("labels", known[0].labels[-1]),
        _count("seeds", known[0].seeds),
        *(_end(metric, curves.get(metric)) for metric in metrics),
    ]


def _end(metric: str, curve: Curve | None) -> Cell:
    if curve is None:
        return Cell(_NONE, {metric: None, f"{metric}_low": None, f"{metric}_high": None})
    mean, low, high = curve.mean[-1], curve.low[-1], curve.high[-1]
    scale, decimals = (1, 3) if metric in _NOT_SHARES else (100, 2)
    text = f"{scale * mean:.{decimals}f}"
    if low is not None and high is not None:
        text += f" \u00b1 {scale * (high - low) / 2:.{decimals}f}"
    return Cell(text, {metric: mean, f"{metric}_low": low, f"{metric}_high": high})


def _crossing(key: str, found: Crossing) -> Cell:
    mark = _CROSSING_MARKS[found.kind]
    return Cell(f"{mark}{count(found.labels)}", {key: found.labels, f"{key}_kind": found.kind})


def _crossing_share(share: float, found: Crossing, labels: int) -> Cell:
    mark = _CROSSING_MARKS[found.kind]
    key = f"labels_for_{percent(share, 0)}"
    return Cell(
        f"{mark}{percent(found.labels / labels, 1)}%",
        {key: found.labels, f"{key}_kind": found.kind},
    )


def _share(key: str, found: Bounded) -> Cell:
    raw: dict[str, Raw] = {key: found.value, f"{key}_bound": found.bound}
    if found.value is None:
        return Cell("unknown", raw)
    return Cell(bounded_percent(found, 1), raw)


def _saved_range(found: tuple[Bounded, Bounded] | None) -> Cell:
    least, most = found or (None, None)
    raw: dict[str, Raw] = {
        "saved_least": least.value if least else None,
        "saved_most": most.value if most else None,
    }
    if least is None or most is None:
        return Cell("unknown", raw)
    ends = dict.fromkeys((bounded_percent(least), bounded_percent(most)))
    return Cell(" to ".join(ends), raw)


def _number(key: str, value: float, empty: bool = False) -> Cell:
    value = float(value)
    known = not empty and value == value  # noqa: PLR0124 - NaN: nobody could be compared
    return Cell(f"{value:.2f}" if known else _NONE, {key: value if known else None})


def _by_class(
    name: str, caption: str, values: Mapping[str, Sequence[float]], names: Sequence[str]
) -> Table:
    rows = [
        [word("class", names[k]), *(Cell(percent(v[k], 1), {n: v[k]}) for n, v in values.items())]
        for k in range(len(names))
    ]
    columns = [Column("class", numeric=False), *(Column(n) for n in values)]
    return Table(name, caption, columns, rows)


def _times(found: Costs) -> list[Cell]:
    crossing = found.to_reference
    return [
        *(Cell(seconds(found.per_round[p]), {f"{p}_a_round": found.per_round[p]}) for p in PHASES),
        Cell(_NONE if found.query is None else seconds(found.query), {"query": found.query}),
        Cell(
            _NONE
            if found.query_share is None or found.query is None
            else percent(found.query_share, 1),
            {"query_share": found.query_share},
        ),
        Cell(seconds(found.total), {"run": found.total}),
        Cell(
            _NONE
            if crossing is None
            else _CROSSING_MARKS[crossing.kind] + seconds(crossing.labels),
            {
                "to_reference": crossing.labels if crossing else None,
                "to_reference_kind": crossing.kind if crossing else None,
            },
        ),
    ]


def _p(p: float | None) -> str:
    return _NONE if p is None else p_value(p)
