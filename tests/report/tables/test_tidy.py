import csv
import io

import pytest

from al_lightning.report.tables.tidy import (
    Score,
    read_tidy_csv,
    tidy_scores,
    to_tidy_csv,
    to_tidy_parquet,
)
from tests.report.helpers import a_passive_run, a_run, the_setting

PLACE = "toys with cnn"
TWO = the_setting(
    [
        a_run("random", 3, (0.5, 0.625), (10, 20), macro_f1=(0.25, 0.5)),
        a_run("margin", 3, (0.5, 0.75), (10, 20), macro_f1=(0.25, 0.5)),
        a_passive_run(3, 0.875),
    ]
)


def test_a_value_is_a_row() -> None:
    scores = tidy_scores([TWO])
    accuracy = [score for score in scores if score.metric == "accuracy"]
    assert accuracy == [
        (PLACE, "random", 3, 10, "accuracy", 0.5),
        (PLACE, "random", 3, 20, "accuracy", 0.625),
        (PLACE, "margin", 3, 10, "accuracy", 0.5),
        (PLACE, "margin", 3, 20, "accuracy", 0.75),
        (PLACE, "passive", 3, 200, "accuracy", 0.875),
    ]
    assert len(scores) == 2 * len(accuracy)  # macro-F1 as well


def test_what_was_measured_on_validation_labels_says_so() -> None:
    run = a_run("margin", 0, (0.5,), (10,), validation=5)
    metrics = {score.metric for score in tidy_scores([the_setting([run])])}
    assert metrics == {"accuracy", "macro_f1", "validation_accuracy"}


def test_csv_is_exact_and_no_formula() -> None:
    scores = [
        Score("=1+1", "margin, a=1", 0, 10, "accuracy", 0.1 + 0.2),
        Score(PLACE, "'", 1, 20, "nll", float("inf")),
    ]
    text = to_tidy_csv(scores)
    header, first, _ = csv.reader(io.StringIO(text))
    assert header == ["setting", "strategy", "seed", "labels", "metric", "value"]
    assert first == ["'=1+1", "margin, a=1", "0", "10", "accuracy", "0.30000000000000004"]
    assert read_tidy_csv(text) == scores


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1 is not setting,strategy"),
        ("a,b\n", "line 1"),
        (to_tidy_csv([]) + "a,b,0,1\n", "line 2: not enough"),
        (to_tidy_csv([]) + "a,b,0,x,accuracy,1\n", "line 2: invalid literal"),
    ],
)
def test_something_else_is_refused_by_line(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_tidy_csv(text)


def test_parquet_holds_the_same() -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # noqa: PLC0415

    scores = tidy_scores([TWO])
    content = to_tidy_parquet(scores)
    assert content == to_tidy_parquet(scores)
    table = parquet.read_table(pa.BufferReader(content))
    assert table.column_names == list(Score._fields)
    assert [Score(**row) for row in table.to_pylist()] == scores
    assert [str(kind) for kind in table.schema.types][2:4] == ["int64", "int64"]
