from pathlib import Path

from al_lightning.report.study.project_changes import changes, rounds_of_one_task
from al_lightning.run.class_change import ClassChange
from tests.report.projects import Project


def test_what_changed_is_told_with_the_first_round_that_has_it(tmp_path: Path) -> None:
    project = Project(tmp_path)
    journal = project.journal
    project.rounds(0.5, 0.6)
    journal.record_setting("names.strategy", "entropy")
    project.rounds(0.7)
    journal.record_setting("model.width", 64)
    journal.record_setting("names.model", "vit")
    project.rounds(0.8)
    journal.record_setting("strategy.temperature", 2)
    journal.record_classes(ClassChange(added=("d",), renamed={"a": "aa"}))
    project.rounds(0.6)
    journal.record_setting("names.strategy", "badge")  # no round has it yet
    assert changes(journal) == (
        "strategy from margin to entropy in round 2 (30 labels)",
        "model from cnn to vit in round 3 (40 labels)",
        "settings of the strategy entropy in round 4 (50 labels)",
        "classes with aa and d and without a in round 4 (50 labels)",
    )


def test_of_many_classes_a_few_are_named(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.rounds(0.5)
    project.journal.record_classes(ClassChange(added=tuple(f"class {k}" for k in range(6))))
    project.rounds(0.6)
    (change,) = changes(project.journal)
    assert change.startswith("classes with class 0, class 1, class 2, class 3 and 2 more in")


def test_rounds_begin_anew_with_classes_that_are_added_or_merged(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.rounds(0.5, 0.6)
    project.journal.record_classes(ClassChange(renamed={"a": "aa"}))
    project.rounds(0.7)
    assert [event["round"] for event in rounds_of_one_task(project.journal)] == [0, 1, 2]
    project.journal.record_classes(ClassChange(merged={"c": "b"}))
    project.rounds(0.8, 0.9)
    assert [event["round"] for event in rounds_of_one_task(project.journal)] == [3, 4]
    project.journal.record_classes(ClassChange(added=("e",)))  # no round has it yet
    assert [event["round"] for event in rounds_of_one_task(project.journal)] == [3, 4]
