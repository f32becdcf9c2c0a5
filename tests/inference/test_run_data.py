from pathlib import Path

import pytest
from PIL import Image

from al_lightning.inference.run_data import has_recorded_data, load_run_data
from al_lightning.run.journal import Journal
from al_lightning.utils.errors import UsageError
from tests.helpers import start_event
from tests.inference.label_projects import begin, write_images


def test_the_images_are_read_from_where_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = write_images(tmp_path / "pets")
    monkeypatch.chdir(tmp_path)
    journal = begin(tmp_path / "run", Path("pets"))
    data = load_run_data(journal)
    assert data.classes == ("cat", "dog")
    assert len(data.train) == 7
    assert (data.folder or Path()).resolve() == images


def test_the_images_are_found_from_any_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = write_images(tmp_path / "pets")
    monkeypatch.chdir(tmp_path)
    begin(tmp_path / "outputs" / "projects" / "pets", Path("pets"))
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    data = load_run_data(Journal(tmp_path / "outputs" / "projects" / "pets" / "journal.jsonl"))
    assert (data.folder or Path()).resolve() == images


def test_other_images_are_refused(tmp_path: Path) -> None:
    journal = begin(tmp_path / "run", write_images(tmp_path / "pets"), project=False)
    Image.new("L", (8, 8), 255).save(tmp_path / "pets" / "unlabeled" / "p.png")
    with pytest.raises(UsageError, match=r"not those that .*run was begun with"):
        load_run_data(journal)


def test_missing_images_are_named_with_what_to_do(tmp_path: Path) -> None:
    journal = begin(tmp_path / "run", write_images(tmp_path / "pets"))
    (tmp_path / "pets").rename(tmp_path / "moved")
    with pytest.raises(
        UsageError, match=r"pets does not exist[\s\S]*the working folder of the run"
    ):
        load_run_data(journal)


def test_a_run_of_the_library_does_not_say_where_its_images_are(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.begin(start_event())
    assert not has_recorded_data(journal)
    with pytest.raises(UsageError, match="made without the command line"):
        load_run_data(journal)


def test_code_of_others_is_not_run(tmp_path: Path) -> None:
    images = write_images(tmp_path / "pets")
    config = {"dataset": {"_target_": "os.system", "command": f"touch {tmp_path}/run_it"}}
    journal = begin(tmp_path / "run", images, config=config)
    with pytest.raises(UsageError, match=r"os\.system"):
        load_run_data(journal)
    assert not (tmp_path / "run_it").exists()
