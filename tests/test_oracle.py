import pytest
import torch

from al_lightning import Answer, Pool, Question
from al_lightning.oracle import Origin


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


def test_an_answer_takes_late_labels_that_the_pool_lacks() -> None:
    pool = Pool(9).reveal(torch.tensor([1, 2]), torch.tensor([0, 0])).skip(torch.tensor([8]))
    answer = Answer(
        ids=torch.tensor([5]),
        labels=torch.tensor([1]),
        skipped=torch.tensor([6]),
        late_ids=torch.tensor([1, 5, 6, 7, 8]),
        late_labels=torch.tensor([0, 0, 0, 1, 1]),
    )
    ids, labels = answer.new_labels(pool)
    assert (ids.tolist(), labels.tolist()) == ([5, 7], [1, 1])
