from pathlib import Path

import pytest

from al_lightning.data.table.table_labels import decide_labels
from al_lightning.data.table.table_rows import TableRow
from al_lightning.utils.errors import DataError

TABLE = Path("labels.csv")


def rows(*labels: str, test: tuple[str, ...] = ()) -> list[TableRow]:
    parts = [(label, "") for label in labels] + [(label, "test") for label in test]
    return [
        TableRow(number, f"{number}.png", label, split)
        for number, (label, split) in enumerate(parts, start=2)
    ]


def test_labels_name_the_classes_in_sorted_order() -> None:
    assert decide_labels(TABLE, rows("dog", "cat", "dog"), None) == (("cat", "dog"), [1, 0, 1])
    assert decide_labels(TABLE, rows("dog", "", "cat"), None) == (("cat", "dog"), [1, -1, 0])
    assert decide_labels(TABLE, rows("10", "7"), None) == (("10", "7"), [0, 1])


def test_given_classes_decide_the_order_and_may_have_no_label_yet() -> None:
    given = ("owl", "dog", "cat")
    assert decide_labels(TABLE, rows("dog", "", "cat"), given) == (given, [1, -1, 2])
    assert decide_labels(TABLE, rows("", ""), given) == (given, [-1, -1])


def test_blanks_and_unicode_forms_are_one_class_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = decide_labels(TABLE, rows("caf\u00e9", "cafe\u0301", "big  cat", "big cat"), None)
    assert found == (("big cat", "caf\u00e9"), [1, 1, 0, 0])
    assert caplog.messages == [
        "labels.csv: labels were read as one class, 'caf\u00e9': 'caf\\xe9' (row 2, 2.png), "
        "'cafe\\u0301' (row 3, 3.png)",
        "labels.csv: labels were read as one class, 'big cat': 'big  cat' (row 4, 4.png), "
        "'big cat' (row 5, 5.png)",
    ]


@pytest.mark.parametrize(
    ("labels", "given", "said"),
    [
        (
            rows("Dog", "cat", "dog", "Dog"),
            None,
            "labels look like one class in several spellings:\n"
            "  - 'Dog' (row 2, 2.png), 'dog' (row 4, 4.png)\nSpell each class in one way",
        ),
        (
            rows("cat", "cat\u200b", "dog"),
            None,
            "in several spellings:\n  - 'cat' (row 2, 2.png), 'cat\u200b' (row 3, 3.png)",
        ),
        (
            rows("cat", "Dog", "cow"),
            ("cat", "dog"),
            "labels are none of the classes in dataset.classes:\n"
            "  - row 3, 3.png: 'Dog'; did you mean dog?\n  - row 4, 4.png: 'cow'\nCorrect them",
        ),
        (
            rows("c\x1bt", "dog"),
            None,
            "labels are no valid names:\n  - row 2, 2.png: 'c\\x1bt': it",
        ),
        (
            rows("cat", "cat"),
            None,
            "labels.csv needs at least 2 classes, has only 'cat': labels are",
        ),
        (rows("cat", ""), None, "has only 'cat'. Name them all: 'dataset.classes=[cat,dog]'"),
        (rows("", ""), None, "needs at least 2 classes, has none. Name them all"),
        (
            rows("cat", "dog", test=("cat", "dgo")),
            None,
            "labels of the split test are those of no other row:\n"
            "  - row 5, 5.png: 'dgo'; did you mean dog?\nCorrect them, or add images",
        ),
        (
            rows("cat", "dog"),
            ("cat", "dog", "owl"),
            "dataset.classes names 'owl', which labels.csv has no row of, and all rows have a label",
        ),
    ],
)
def test_labels_that_cannot_be_are_named(
    labels: list[TableRow], given: tuple[str, ...] | None, said: str
) -> None:
    with pytest.raises(DataError) as raised:
        decide_labels(TABLE, labels, given)
    assert said in str(raised.value)


def test_names_that_look_alike_are_classes_where_all_are_given() -> None:
    assert decide_labels(TABLE, rows("Dog", "dog"), ("dog", "Dog"))[1] == [1, 0]


def test_test_images_may_name_a_class_that_nobody_has_labeled_yet(
    caplog: pytest.LogCaptureFixture,
) -> None:
    table = rows("cat", "dog", "", test=("cat", "owl"))
    assert decide_labels(TABLE, table, None)[0] == ("cat", "dog", "owl")
    assert caplog.messages == [
        "labels.csv: the split test has no images of dog: test figures do not cover these classes"
    ]
