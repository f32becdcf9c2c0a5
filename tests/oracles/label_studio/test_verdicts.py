import pytest

from al_lightning.oracles.label_studio.tasks import Annotation, Task
from al_lightning.oracles.label_studio.verdicts import (
    Verdict,
    annotators,
    by_image,
    split_verdicts,
    verdicts_of,
)
from al_lightning.utils.errors import UsageError

LABELS = {"cat": 0, "dog": 1, "hound": 1}


def task(number: int, image: int, *annotations: Annotation) -> Task:
    return Task(number, image, annotations, frozenset())


def verdicts(*tasks: Task) -> list[Verdict]:
    return verdicts_of([4, 7, 9], by_image(tasks), LABELS, lambda i: f"id {i}", "here")


def test_annotations_of_all_tasks_of_an_image_count() -> None:
    dog, skip = Annotation(("dog",), False, "Ben"), Annotation((), True)
    tasks = task(1, 4, skip), task(2, 4, dog), task(3, 7, skip), task(5, 4, dog)
    assert verdicts(*tasks) == [1, "skipped", "open"]
    assert annotators(by_image(tasks)) == {4: "Ben", 7: ""}
    found = split_verdicts(zip([4, 7, 9], verdicts(*tasks), strict=True))
    assert [part.tolist() for part in found] == [[4], [1], [7]]


def test_two_names_of_a_class_agree() -> None:
    both = (Annotation((name,), False) for name in ("dog", "hound"))
    assert verdicts(task(1, 4, *both)) == [1, "open", "open"]


@pytest.mark.parametrize(
    ("chosen", "problem"),
    [
        ([("owl",)], "'owl' is none of the data set's classes"),
        ([("cat",), ("dog",)], "different classes were chosen, 'cat', 'dog'"),
        ([("cat",), ()], "an annotation has no class"),
    ],
)
def test_annotations_that_cannot_be_used_are_named(
    chosen: list[tuple[str, ...]], problem: str
) -> None:
    with pytest.raises(UsageError, match=rf"in here cannot be used:\n  task 3 \(id 7\): {problem}"):
        verdicts(task(3, 7, *(Annotation(one, False) for one in chosen)))
