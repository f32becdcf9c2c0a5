"""Tables of docs/labeling.md."""

from typing import Any

from benchmarks.tables.cells import Rows, mean_of, read, share

_PAGES = {
    "beside": "page, `retrain_every=10`",
    "whole_batches": "page, `retrain_every=null`",
}
_WAYS = {
    "page_one_by_one": ("page, one by one", "the class's key"),
    "page_grid": (
        "page, grid",
        "two for each wrong guess ({right}% were right), one for each guessed class, two for the batch",
    ),
    "csv": (
        "`csv`",
        "the class's name and Enter; open the images, open the sheet, save it, run the command",
    ),
    "label_studio": (
        "`label_studio`",
        "the class's key, submit; run the command, open the tasks, run the command again",
    ),
}
_STARTS = {"first": "first", "nothing new": "nothing new", "1,000 new": "1,000 new images"}
_LINEAR = "CIFAR-10, `efficientnet_lite0_linear`"
_REVIEWED = {"cifar10_linear": _LINEAR, "digits": "digits, `cnn`"}
_CALIBRATED = {
    "cifar10_linear": _LINEAR,
    "fashion_mnist": "Fashion-MNIST, `cnn`",
    "digits": "digits, `cnn`",
}
_RULES = {
    "mean kappa >= 0.99": "mean kappa of three rounds at least .99",
    "mean kappa >= 0.98": "... at least .98",
    "mean kappa >= 0.95": "... at least .95",
    "mean kappa >= 0.9": "... at least .9",
    "twice the labels bring at most 0.01": "twice the labels bring at most 1 point",
    "the target is reached": "the target is reached (.95)",
}


def page_speed() -> Rows:
    """Labels a minute and waits of a page, by ``benchmarks/page_session.py page csv``."""
    found = read("page_session")
    rows = [
        ["", "labels a minute", "wait between batches, median (95th percentile)",
         "from the key to the next image"]
    ]  # fmt: skip
    for key, name in _PAGES.items():
        each = found["page"][key]
        rows.append(
            [
                name,
                f"{each['labels_a_minute']:,}",
                _spread(each["wait_between_batches_seconds"], "s", 2),
                _spread(each["key_to_next_image_ms"], "ms", 0),
            ]
        )
    wait = _spread(found["csv"]["last_label_to_next_question_seconds"], "s", 1)
    return [*rows, ["`csv`, sheets filled in by a program", "", wait, ""]]


def page_steps() -> Rows:
    """Keystrokes and clicks of each way to label, by ``benchmarks/page_session.py steps``."""
    found = read("page_session")["steps"]
    rows = [["", "keys and clicks a label", "steps a batch", "which"]]
    for key, (name, which) in _WAYS.items():
        each = found[key]
        keys = f"{each['keystrokes_and_clicks_a_label']:.1f}".removesuffix(".0")
        what = which.format(right=f"{100 * found['guess_is_right']:.0f}")
        rows.append([name, keys, str(each["steps_a_batch"]), what])
    return rows


def project_start() -> Rows:
    """Seconds of a project's start, by ``benchmarks/living_project.py --restart 100000``."""
    found = read("living_project")["restart"]
    rows = [["start", "files, `images.csv` and decoded images", "the whole command"]]
    for key, name in _STARTS.items():
        rows.append([name, f"{found[key]:.1f}", f"{found[f'{key}, whole command']:.1f}"])
    return rows


def _spread(found: dict[str, float], unit: str, decimals: int) -> str:
    """Return a median, and the 95th percentile in brackets."""
    median, most = (f"{found[key]:.{decimals}f} {unit}" for key in ("median", "p95"))
    return f"{median} ({most})"


def review() -> Rows:
    """Wrong labels that a review finds, by ``benchmarks/out_of_fold.py review``."""
    rows = [
        ["data set", "labels, wrong ones", "doubtful, of these wrong", "wrong among the first 50",
         "first 100"]
    ]  # fmt: skip
    for setting, name in _REVIEWED.items():
        runs = [run for run in read("review") if run["setting"] == setting]
        mean = {key: mean_of(runs, key) for key in runs[0] if key not in ("setting", "strategy")}
        rows.append(
            [
                name,
                f"{mean['labels']:,.0f}, {mean['wrong']:.0f}",
                f"{mean['doubtful']:.0f}, {mean['wrong_among_doubtful']:.0f}",
                f"{mean['wrong_in_first_50']:.0f}",
                f"{mean['wrong_in_first_100']:.0f}",
            ]
        )
    return rows


def calibration() -> Rows:
    """Calibration errors on test images, by ``benchmarks/out_of_fold.py calibration``."""
    columns = ("none", "validation", "out_of_fold", "test")
    rows = [
        [
            "data set",
            "labels, accuracy",
            "without",
            "200 validation labels (digits: 100)",
            "out of fold",
            "the best temperature",
        ]
    ]
    for setting, name in _CALIBRATED.items():
        runs = [run for run in read("calibration") if run["setting"] == setting]
        errors = [mean_of([run["ece_on_test"] for run in runs], column) for column in columns]
        size = f"{runs[0]['labels']:,}, {share(mean_of(runs, 'accuracy'))}"
        rows.append([name, size, *map(share, errors)])
    return rows


def stop_rules() -> Rows:
    """What advice on stopping would have cost, by ``benchmarks/stop_advice.py``."""
    found = read("stop_advice")["digits"]["summary"]
    rows = [['said "stop"', "runs", "labels used", "accuracy lost, points", "at most"]]
    for rule, name in _RULES.items():
        each = found["rules"][rule]
        lost = [f"{100 * each[key]:.1f}" for key in ("lost", "most_lost")]
        rows.append(
            [name, f"{each['runs']} of {found['runs']}", f"{100 * each['share']:.0f}%", *lost]
        )
    return rows


def stop_bands() -> Rows:
    """How often bands held the truth, by ``benchmarks/stop_advice.py``."""
    digits, cifar10 = (read("stop_advice")[name]["summary"] for name in ("digits", "cifar10"))

    def held(summary: dict[str, Any], kind: str) -> str:
        band = summary["bands"][kind]
        return f"{100 * band['held']:.0f}% of {band['bands']}"

    return [
        ["bands of 80% that held the truth",
         "digits, 100 validation labels", "CIFAR-10, 10,000 test images"],
        ["accuracy with up to twice the labels, on the images of the curve",
         held(digits, "fitted"), held(cifar10, "fitted")],
        ["the same, on the test images", held(digits, "test"), "the same images"],
        ["labels to the target", held(digits, "labels"), held(cifar10, "labels")],
        ["mean width of the first, points",
         *(f"{100 * each['mean_width']:.1f}" for each in (digits, cifar10))],
        ["labels to the target with an upper end",
         *(f"{100 * each['bounded']:.0f}%" for each in (digits, cifar10))],
    ]  # fmt: skip


TABLES = (
    page_speed,
    page_steps,
    project_start,
    review,
    calibration,
    stop_rules,
    stop_bands,
)
