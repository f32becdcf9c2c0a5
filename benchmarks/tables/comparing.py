"""Tables of docs/comparing.md, docs/strategies.md and docs/running.md."""

import statistics

from al_lightning.utils.intervals import wilson_interval
from benchmarks.tables.cells import Rows, read, share, signed


def first_labels() -> Rows:
    """How many first labels the rarest class has, by ``benchmarks/first_labels.py``."""
    found = read("first_labels")
    rows = [
        ["`budget.initial_policy`", "labels of the rarest class",
         f"share of the {found['labels']} labels", "share of that class's images"]
    ]  # fmt: skip
    for policy, counts in found["policies"].items():
        mean, low, high = statistics.fmean(counts), min(counts), max(counts)
        per = 100 / found["images_of_the_rarest"]
        rows.append(
            [
                f"`{policy}`",
                f"{mean:.1f} [{low}, {high}]",
                f"{100 * mean / found['labels']:.1f} %",
                f"{per * mean:.1f} % [{per * low:.1f}, {per * high:.1f}]",
            ]
        )
    return rows


def false_claims() -> Rows:
    """False claims of a report over all planned looks, by ``benchmarks/error_rates.py``."""
    fresh = ("one three times as noisy", "skewed")
    rows = [["strategies", "studies", "noise", "against random", "the best", "either"]]
    for strategies, each in read("error_rates")["planned"].items():
        for kind in ("kinds it was tuned on", "new kinds"):
            false = [
                r for world, r in each["false"].items() if (world in fresh) == (kind == "new kinds")
            ]
            rates = (max(rate[key] for rate in false) for key in ("against", "best", "either"))
            cells = (_percent(rate, each["draws"]) for rate in rates)
            rows.append([strategies, f"{each['draws']:,}", kind, *cells])
    return rows


def planned_power() -> Rows:
    """True differences that a report finds at each planned look, by ``benchmarks/error_rates.py``."""
    planned = read("error_rates")["planned"]
    looks = next(iter(planned.values()))["power"]
    rows = [["strategies", *(f"{look} seeds" for look in looks)]]
    for strategies, each in planned.items():
        found = each["power"].values()
        cells = (f"{100 * one['against']:.0f}, {100 * one['best']:.0f}" for one in found)
        rows.append([strategies, *cells])
    return rows


def crowded() -> Rows:
    """What strategies far behind cost the others, by ``benchmarks/error_rates.py``."""
    result = read("error_rates")["crowded"]
    heads = ("false, all at once", "false, now", "found, all at once", "found, now")
    rows = [["strategies far behind", *heads]]
    for behind, rates in result["behind"].items():
        cells = [
            _percent(rates[key][way], result["draws"])
            for key in ("false", "found")
            for way in ("at once", "ours")
        ]
        rows.append([behind, *cells])
    return rows


def procedures() -> Rows:
    """Procedures at the level of a single look, by ``benchmarks/error_rates.py``."""
    names = ("holm", "blocks", "smyth", "ours", "best, holm", "best, ours")
    heads = ("Holm", "blocks", "Smyth", "ours", "best: Holm", "best: ours")
    rows = [["seeds", "strategies", "studies", *heads]]
    cells = read("error_rates")["cells"].values()
    for each in sorted(cells, key=lambda cell: (cell["seeds"], cell["strategies"])):
        false = (100 * max(each["false"][name].values()) for name in names)
        power = (100 * each["power"][name]["equal"] for name in names)
        shown = [f"{rate:.1f} / {found:.0f}" for rate, found in zip(false, power, strict=True)]
        rows.append([str(each["seeds"]), str(each["strategies"]), f"{each['draws']:,}", *shown])
    return rows


def follow_the_advice() -> Rows:
    """False claims of who looks again until something is found, by ``benchmarks/error_rates.py``."""
    results = read("error_rates")
    names = {
        "before: follow the advice": "an earlier version of the report",
        "the same level at each look": "each test at the same level",
    }
    rows = [["", "at the first test", "within ten tests"]]
    for name, each in results["before"].items():
        rates = (_percent(each[key], each["draws"]) for key in ("first", "after ten"))
        rows.append([names[name], *rates])
    worst, draws = max(
        (rates["against"], each["draws"])
        for each in results["planned"].values()
        for rates in each["false"].values()
    )
    rows.append(["planned looks (now), the worst noise", "", _percent(worst, draws)])
    return rows


def fresh_seeds() -> Rows:
    """Which statements of a report held on fresh seeds, by ``benchmarks/fresh_seeds.py``."""
    rows = [["study", "strategy", "points over random", "fresh seeds", "said", "turned"]]
    for study in read("fresh_seeds"):
        for each in study["statements"]:
            first, fresh = (_interval(*each[key]) for key in ("first", "fresh"))
            said = [each["said"], *(["behind the best"] if each["behind"] else [])]
            stated = each["turned"] is not None or each["behind"]
            turned = "yes" if each["turned"] or each["behind_turned"] else "no" if stated else ""
            rows.append([study["name"], each["strategy"], first, fresh, ", ".join(said), turned])
    return rows


def null_test() -> Rows:
    """Claims of a difference between random and random, by ``benchmarks/null_test.py``: an hour."""
    results = read("null_test")
    found = results["comparisons"]
    claims = sum(each["claimed"] for each in found)
    means = [abs(each["points"][0]) for each in found]
    return [
        ["comparisons, seeds each", "claims", "of all, %", "mean absolute difference, points"],
        [
            f"{len(found)}, {results['seeds']}",
            str(claims),
            _percent(claims / len(found), len(found)),
            f"{statistics.fmean(means):.2f}",
        ],
    ]


def query_temperature() -> Rows:
    """The temperature of uherding, by ``benchmarks/query_temperature.py``: 15 minutes."""
    methods = read("query_temperature")["methods"]
    budgets = [*next(iter(methods.values()))["accuracy"]]
    rows = [["temperature", *(f"{int(b):,} labels" for b in budgets), "area", "difference"]]
    for method, each in methods.items():
        found = each["temperature"]
        cells = [
            share(accuracy) + (f" (T {found[b]:.2g})" if b in found else "")
            for b, accuracy in each["accuracy"].items()
        ]
        low, high = each["interval"]
        gap = f"{signed(each['difference'])} [{signed(low)}, {signed(high)}]"
        gap = "" if method == "authors" else gap
        rows.append([method, *cells, share(each["aubc"]), gap])
    return rows


def _percent(rate: float, draws: int) -> str:
    """Return a rate in per cent with its 95 % interval (Wilson 1927)."""
    low, high = wilson_interval(rate, draws)
    return f"{100 * rate:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _interval(mean: float, low: float, high: float) -> str:
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"


TABLES = (
    first_labels,
    query_temperature,
    false_claims,
    planned_power,
    crowded,
    procedures,
    follow_the_advice,
    fresh_seeds,
    null_test,
)
