"""Labels of a table in a project: what is new, corrected, unchanged or refused."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from al_lightning.inference.label_export import export_labels
from al_lightning.inference.label_import import Import, import_labels
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal
from al_lightning.run.questions import Question
from al_lightning.utils.errors import UsageError
from tests.data.project.living import pets
from tests.helpers import start_event
from tests.inference.label_projects import CAT, DOG, begin, write_images, write_project

NOW = "2026-11-29T23:16:05+00:00"


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """Of a project with the labels cat, cat, dog, cat; 4 was skipped, 5 and 6 are unlabeled."""
    monkeypatch.setattr("al_lightning.run.journal.utc_now", lambda: NOW)
    return Journal(write_project(tmp_path) / "journal.jsonl")


def table(folder: Path, *rows: str, name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([*rows, ""]), encoding="utf-8")
    return path


def test_new_corrected_and_unchanged_labels_by_file(journal: Journal, tmp_path: Path) -> None:
    pets = tmp_path / "pets"
    given = table(
        tmp_path,
        "label,comment,File",
        "Dog,,unlabeled/p.png",  # relative to the folder of the images
        f"cat,,{pets}/unlabeled/q.png",
        "dog,,pets/train/cat/a.png",  # relative to the folder of the table
        "dog,,train/dog/a.png",
        ",,train/cat/b.png",
        "cat,,unlabeled/deep/a.png",  # skipped
        f"cat,,{pets}/unlabeled/../unlabeled/q.png",  # once more
    )
    done = import_labels(journal, given, by="Ada")
    assert done == Import(new={5: DOG, 6: CAT}, corrected={0: DOG}, unchanged=1, skipped=1)
    assert str(done) == "2 new, 1 corrected, 1 unchanged, 1 skipped in the project, which they stay"
    new, corrected = journal.events[-2:]
    assert new == {
        "event": "labels",
        "round": 2,
        "ids": [5, 6],
        "labels": [DOG, CAT],
        "origin": "imported",
        "by": "Ada",
        "at": NOW,
    }
    assert (corrected["ids"], corrected["to"], corrected["by"]) == ([0], [DOG], "Ada")
    assert journal.pool.labels_bought == 6
    assert journal.current_round == 2
    assert Journal(journal.path).label_of == {0: DOG, 1: CAT, 2: DOG, 3: CAT, 5: DOG, 6: CAT}


def test_a_label_is_for_the_image_that_has_the_name_now(tmp_path: Path) -> None:
    living = pets(tmp_path)
    living.label({0: CAT, 1: CAT, 2: DOG, 3: DOG})
    living.remove("unlabeled/z.png")
    living.move("unlabeled/w.png", "unlabeled/z.png")
    plan = import_labels(
        living.journal, table(tmp_path, "file,label", "images/unlabeled/z.png,dog")
    )
    assert plan.new == {4: DOG}


@pytest.mark.parametrize("row", ["6,dog", "images/unlabeled/y.png,dog"])
@pytest.mark.parametrize("started", [False, True])
def test_a_new_label_for_an_image_without_a_file_is_refused(
    tmp_path: Path, row: str, *, started: bool
) -> None:
    living = pets(tmp_path)
    living.label({0: CAT, 1: CAT, 2: DOG, 3: DOG})
    living.remove("unlabeled/y.png", "train/cat/a.png")
    rows = ["file,id,label", "images/train/cat/a.png,,dog"]  # it has a label, which it keeps or not
    rows.append(f",{row}" if row[0] == "6" else row.replace(",", ",,"))
    if started:
        living.start()
    before = living.journal.path.read_bytes()
    with pytest.raises(UsageError, match=r"whose files have gone, .*: ids 6\. Remove these rows"):
        import_labels(living.journal, table(tmp_path, *rows))
    assert living.journal.path.read_bytes() == before
    plan = import_labels(living.journal, table(tmp_path, *rows[:2]))
    assert plan.corrected == {0: DOG}


def test_an_import_is_completed_when_it_is_repeated(journal: Journal, tmp_path: Path) -> None:
    given = table(tmp_path, "id,label", "5,dog", "0,dog")
    first = import_labels(journal, given)
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join(lines[:-1]))  # killed before the correction
    again = import_labels(Journal(journal.path), given)
    assert (first.unchanged, again.new, again.corrected, again.unchanged) == (0, {}, {0: DOG}, 1)
    assert journal.path.read_bytes().splitlines(keepends=True) == lines


def test_a_table_may_have_names_that_classes_had_before(journal: Journal, tmp_path: Path) -> None:
    journal.record_classes(ClassChange(renamed={"cat": "Kätzchen"}))
    rows = "id,label", "0,cat", "1,Ka\u0308tzchen", "5,CAT", "6,kätzchen"
    done = import_labels(journal, table(tmp_path, *rows))
    assert (done.new, done.corrected, done.unchanged) == ({5: CAT, 6: CAT}, {}, 2)


def test_a_dry_run_writes_nothing(journal: Journal, tmp_path: Path) -> None:
    before = journal.path.read_bytes()
    plan = import_labels(journal, table(tmp_path, "id,label", "5,dog"), dry_run=True)
    assert (plan.new, journal.path.read_bytes()) == ({5: DOG}, before)


def test_what_a_project_writes_another_reads(journal: Journal, tmp_path: Path) -> None:
    export_labels(journal.path.parent, f"{tmp_path}/labels.csv")
    same = import_labels(journal, tmp_path / "labels.csv")
    assert same == Import({}, {}, unchanged=4, skipped=0)
    other = begin(tmp_path / "other", tmp_path / "pets")
    other.record_question(Question(0, "initial", torch.tensor([0, 1])))
    done = import_labels(other, tmp_path / "labels.csv")
    assert done.new == {0: CAT, 1: CAT, 2: DOG, 3: CAT}
    assert other.open_question is None  # all that it asks for came in


def test_parquet_is_read_too(journal: Journal, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow.parquet")
    export_labels(journal.path.parent, f"{tmp_path}/labels.parquet")
    assert import_labels(journal, tmp_path / "labels.parquet").unchanged == 4


def test_all_rows_that_cannot_be_used_are_named_and_nothing_is_changed(
    journal: Journal, tmp_path: Path
) -> None:
    before = journal.path.read_bytes()
    given = table(
        tmp_path,
        "file,id,label",
        "unlabeled/p.png,,dog",
        "unlabeled/p.png,,cat",
        "nowhere.png,,cat",
        "unlabeled/q.png,,dgo",
        "test/cat/t.png,,cat",
        ",99,cat",
        ",-1,cat",
        ",,cat",
    )
    with pytest.raises(UsageError) as caught:
        import_labels(journal, given)
    assert str(caught.value).splitlines() == [
        f"{given} cannot be imported, and nothing was changed:",
        "  - row 3, unlabeled/p.png: it is 'cat' here, and 'dog' in row 2, unlabeled/p.png",
        "  - row 4, nowhere.png: no image of this project, or a copy of another one",
        "  - row 5, unlabeled/q.png: 'dgo' is no class; did you mean dog?",
        "  - row 6, test/cat/t.png: it is a test image, whose label is not a matter of this project",
        "  - row 7, id 99: no image of this project: ids are 0 to 6",
        "  - row 8, id -1: no image of this project: ids are 0 to 6",
        "  - row 9, id : no image of this project: ids are 0 to 6",
        "Correct these rows or remove them",
    ]
    assert journal.path.read_bytes() == before


def test_a_name_that_could_be_two_files_is_refused(journal: Journal, tmp_path: Path) -> None:
    beside = tmp_path / "pets" / "unlabeled"
    given = table(beside, "file,label", "../unlabeled/p.png,cat")
    assert import_labels(journal, given, dry_run=True).new == {5: CAT}
    (beside / "unlabeled").mkdir()
    Image.new("L", (8, 8), 255).save(beside / "unlabeled" / "p.png")
    twins = begin(tmp_path / "twins", tmp_path / "pets")
    given = table(beside, "file,label", "unlabeled/p.png,cat")
    with pytest.raises(UsageError, match="and another in the folder of the table"):
        import_labels(twins, given, dry_run=True)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["file,class", "a.png,cat"], "needs a column label, and a column file or id"),
        (["label,class", "cat,cat"], "its columns are label, class"),
        (["id,label", '5,"cat'], "cannot be read: row 2"),
        ([""], "its columns are none"),
    ],
)
def test_tables_that_cannot_be_read(
    journal: Journal, tmp_path: Path, rows: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        import_labels(journal, table(tmp_path, *rows))
    with pytest.raises(UsageError, match=r"nowhere\.csv is no file"):
        import_labels(journal, tmp_path / "nowhere.csv")


def test_a_project_that_asks_for_validation_labels_takes_none(tmp_path: Path) -> None:
    journal = begin(tmp_path / "run", write_images(tmp_path / "pets"))
    journal.record_question(Question(0, "validation", torch.tensor([6])))
    for dry_run in (True, False):
        with pytest.raises(UsageError, match=r"takes no labels now: .*after those for validation"):
            import_labels(journal, table(tmp_path, "id,label", "5,dog"), dry_run=dry_run)
    assert len(Journal(journal.path).events) == 2


def test_images_that_the_project_does_not_know_yet_are_taken_in_first(
    journal: Journal, tmp_path: Path
) -> None:
    Image.new("L", (8, 8), 255).save(tmp_path / "pets" / "unlabeled" / "zz.png")
    given = table(tmp_path, "file,label", "unlabeled/p.png,cat", "unlabeled/zz.png,dog")
    with pytest.raises(UsageError, match=r"1 of the images in .* Run the project's command first"):
        import_labels(journal, given)
    assert Journal(journal.path).label_of == journal.label_of


def test_ids_need_no_images(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.begin({"project": True, **start_event()})
    journal.record_question(Question(0, "initial", torch.tensor([0, 1])))
    assert import_labels(journal, table(tmp_path, "id,label", "5,Top", "6,")).new == {5: 0}
    with pytest.raises(UsageError, match="does not say where its images are"):
        import_labels(journal, table(tmp_path, "file,label", "a.png,top"))
