from dataclasses import replace
from typing import Any

import pytest
import torch

from al_lightning import Answer, Pool, Question
from al_lightning.run.questions import Origin


@pytest.mark.parametrize(
    ("round_index", "origin", "attempt", "name"),
    [
        (0, "initial", 0, "round_00"),
        (0, "validation", 0, "round_00_validation"),
        (12, "query", 0, "round_12"),
        (3, "query", 2, "round_03_again_2"),
    ],
)
def test_no_two_questions_share_a_name(
    round_index: int, origin: Origin, attempt: int, name: str
) -> None:
    assert Question(round_index, origin, torch.tensor([1]), attempt).name == name


POOL = Pool(12).reveal(torch.tensor([1, 2]), torch.tensor([0, 0])).skip(torch.tensor([8]))


def answer(**late: Any) -> Answer:
    return Answer(torch.tensor([5]), torch.tensor([1]), torch.tensor([6]), **late)


def test_an_answer_takes_what_comes_late_and_the_pool_lacks() -> None:
    late = answer(
        late_ids=torch.tensor([1, 5, 6, 7, 8]),
        late_labels=torch.tensor([0, 0, 0, 1, 2]),  # 8 was skipped
        late_skipped=torch.tensor([2, 5, 6, 7, 8, 9]),
    )
    ids, labels, skipped = late.new_labels(POOL)
    assert (ids.tolist(), labels.tolist(), skipped.tolist()) == ([5, 7, 8], [1, 1, 2], [6, 9])
    ids, *_ = late.new_labels(replace(POOL, absent_ids=torch.tensor([7, 8])))
    assert ids.tolist() == [5]


def test_a_class_that_was_changed_is_a_correction() -> None:
    pool = POOL.reveal(torch.tensor([10]), torch.tensor([2]), validation=True)
    late = answer(late_ids=torch.tensor([1, 2, 7, 10]), late_labels=torch.tensor([0, 3, 1, 1]))
    assert late.corrections(pool, {}) == {2: 3, 10: 1}
    # What an answer repeats was corrected by somebody else since.
    assert late.corrections(pool, {2: 3, 10: 0}) == {10: 1}


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("Ada", "Ada"),
        ("", ""),
        ({5: "Ada", 6: "Ada", 7: "Ben"}, "Ada"),
        ({5: "Ada", 6: "Ben"}, ["Ada", "Ben"]),
        ({5: "Ada"}, ["Ada", ""]),
        ({}, ""),
    ],
)
def test_annotators_are_one_name_or_one_an_image(
    by: str | dict[int, str], names: str | list[str]
) -> None:
    given = Answer(torch.tensor([5, 6]), torch.tensor([0, 1]), by=by)
    assert given.annotators([5, 6]) == names
    assert given.annotators([]) == (by if isinstance(by, str) else "")


def test_images_stay_open_until_they_are_labeled_or_skipped() -> None:
    pool = Pool(9, torch.tensor([1]), torch.tensor([0]))
    answer = Answer(
        torch.tensor([2]),
        torch.tensor([0]),
        torch.tensor([3]),
        late_ids=torch.tensor([4]),
        late_labels=torch.tensor([1]),
        late_skipped=torch.tensor([5]),
        open_ids=torch.tensor([8, 1, 2, 3, 4, 5, 7]),
    )
    assert answer.still_open(pool).tolist() == [8, 7]
