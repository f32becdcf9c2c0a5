import csv
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from al_lightning.inference.predictions import find_images, write_predictions
from al_lightning.inference.trained import TrainedRun, load_trained
from al_lightning.utils.errors import DataError, UsageError
from tests.helpers import CLASSES, tiny_images
from tests.inference.trained_runs import save_image, write_trained

PIXELS = tiny_images(7).pixels[:]
FILES = ["a/0.png", "a/1.png", "a/deep/2.png", "b/3.png", "b/4.png", "b/5.png", "c.png"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    return load_trained(write_trained(tmp_path_factory.mktemp("run")))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for file, pixels in zip(FILES, PIXELS, strict=True):
        save_image(tmp_path / "images" / file, pixels)
    return tmp_path / "images"


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.reader(file))


def test_a_row_an_image(run: TrainedRun, images: Path, tmp_path: Path) -> None:
    output = tmp_path / "out" / "table.csv"
    predicted = write_predictions(run, images, output)
    assert (predicted.images, predicted.unreadable) == (7, {})
    header, *body = rows(output)
    assert header == ["file", "class", "confidence"]
    assert [row[0] for row in body] == FILES
    expected = run.predict(PIXELS)
    assert [row[1] for row in body] == [CLASSES[label] for label in expected.argmax(1).tolist()]
    confidence = torch.tensor([float(row[2]) for row in body])
    torch.testing.assert_close(confidence, expected.max(1).values)


def test_probabilities_on_request(run: TrainedRun, images: Path, tmp_path: Path) -> None:
    write_predictions(run, images, tmp_path / "table.csv", probabilities=True)
    header, *body = rows(tmp_path / "table.csv")
    assert header == ["file", "class", "confidence", "p_top", "p_middle", "p_bottom"]
    found = torch.tensor([[float(value) for value in row[3:]] for row in body])
    torch.testing.assert_close(found, run.predict(PIXELS))
    assert all(float(row[2]) == max(map(float, row[3:])) for row in body)


@pytest.mark.parametrize("batch_size", [1, 3, 7])
def test_batches_change_nothing(
    run: TrainedRun, images: Path, tmp_path: Path, batch_size: int
) -> None:
    write_predictions(run, images, tmp_path / "one.csv")
    write_predictions(run, images, tmp_path / "other.csv", batch_size=batch_size)
    one, other = rows(tmp_path / "one.csv"), rows(tmp_path / "other.csv")
    assert [row[:2] for row in one] == [row[:2] for row in other]
    for left, right in zip(one[1:], other[1:], strict=True):
        assert float(left[2]) == pytest.approx(float(right[2]), abs=1e-6)


def test_memory_holds_a_batch_at_a_time(
    run: TrainedRun, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    predict = TrainedRun.predict

    def watched(self: TrainedRun, pixels: torch.Tensor) -> torch.Tensor:
        seen.append(len(pixels))
        return predict(self, pixels)

    monkeypatch.setattr(TrainedRun, "predict", watched)
    write_predictions(run, images, tmp_path / "table.csv", batch_size=3)
    assert seen == [3, 3, 1]


def test_images_of_any_size_and_mode(run: TrainedRun, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for index, mode in enumerate(("RGB", "RGBA", "P", "I;16", "1")):
        Image.new(mode, (30 + index, 17)).save(folder / f"{index}.png")
    deep = replace(run, value_range=(0, 4095))
    assert write_predictions(deep, folder, tmp_path / "table.csv").images == 5
    with pytest.raises(DataError, match=r"3\.png: it has more than 8 bits a pixel"):
        write_predictions(run, folder, tmp_path / "table.csv")


def test_images_are_shown_in_the_shape_of_the_run(
    run: TrainedRun, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []

    def answer(self: TrainedRun, pixels: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(pixels.shape))
        return torch.eye(3)[[0] * len(pixels)]

    monkeypatch.setattr(TrainedRun, "predict", answer)
    write_predictions(replace(run, image_shape=(3, 6, 10)), images, tmp_path / "table.csv")
    assert shapes == [(7, 3, 6, 10)]


def test_hidden_and_other_files_are_left_out(images: Path) -> None:
    (images / ".thumbnails").mkdir()
    save_image(images / ".thumbnails" / "0.png", PIXELS[0])
    save_image(images / "._0.png", PIXELS[0])
    (images / "notes.txt").write_text("none")
    (images / "a" / "LOUD.PNG").write_bytes((images / "c.png").read_bytes())
    for folder in ("@eaDir", "a/@eaDir/1.png", "$RECYCLE.BIN", "__MACOSX/a", "lost+found"):
        save_image(images / folder / "SYNOPHOTO_THUMB_XL.jpg", PIXELS[0])
    assert find_images(images) == sorted([*FILES, "a/LOUD.PNG"])


def test_links_are_followed_and_lead_to_a_folder_once(images: Path) -> None:
    (images / "a" / "up").symlink_to(images)
    (images / "b" / "copy").symlink_to(images / "a" / "deep")
    (images / "d.png").symlink_to(images / "c.png")
    assert find_images(images) == sorted([*FILES, "d.png"])


def test_unreadable_files_are_all_named_and_nothing_is_written(
    run: TrainedRun, images: Path, tmp_path: Path
) -> None:
    (images / "a" / "0.png").write_bytes(b"")
    (images / "c.png").write_bytes(b"none")
    output = tmp_path / "table.csv"
    output.write_text("old")
    with pytest.raises(DataError) as caught:
        write_predictions(run, images, output, batch_size=2)
    message = str(caught.value)
    assert "2 of 7 images below" in message
    assert "a/0.png: it is empty, 0 bytes" in message
    assert "c.png: its content is no image" in message
    assert "--on-error skip" in message
    assert output.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "table.csv"]


def test_at_most_ten_are_named(run: TrainedRun, images: Path, tmp_path: Path) -> None:
    for index in range(12):
        (images / f"{index:02}.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"09\.jpg: it is empty, 0 bytes\n  - and 2 more\nRepair"):
        write_predictions(run, images, tmp_path / "table.csv")


def test_unreadable_files_are_skipped(run: TrainedRun, images: Path, tmp_path: Path) -> None:
    (images / "a" / "1.png").write_bytes(b"")
    predicted = write_predictions(
        run, images, tmp_path / "table.csv", on_error="skip", batch_size=1
    )
    assert predicted.images == 6
    assert predicted.unreadable == {"a/1.png": "it is empty, 0 bytes"}
    assert [row[0] for row in rows(tmp_path / "table.csv")[1:]] == [FILES[0], *FILES[2:]]


def test_if_none_can_be_read_nothing_is_written(run: TrainedRun, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match="1 of 1 images") as caught:
        write_predictions(run, folder, tmp_path / "table.csv", on_error="skip")
    assert "--on-error" not in str(caught.value)
    assert not (tmp_path / "table.csv").exists()


def test_a_folder_without_an_image(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(DataError, match=r"has no image: expected files that end in.*\.png"):
        find_images(tmp_path)
    with pytest.raises(DataError, match="is no folder"):
        find_images(tmp_path / "notes.txt")
    with pytest.raises(DataError, match="does not exist"):
        find_images(tmp_path / "nowhere")


def test_a_folder_that_cannot_be_read_is_named(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    iterdir = Path.iterdir

    def refuse(self: Path) -> Iterator[Path]:
        if self.name == "deep":
            raise PermissionError(13, "Permission denied", str(self))
        return iterdir(self)

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError, match="deep cannot be read: Permission denied"):
        find_images(images)


def test_a_table_that_cannot_be_written(run: TrainedRun, images: Path) -> None:
    with pytest.raises(UsageError, match="is no file"):
        write_predictions(run, images, images)


def test_runs_on_other_channels_need_python(run: TrainedRun, images: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="have 4 channels"):
        write_predictions(replace(run, image_shape=(4, 8, 8)), images, tmp_path / "table.csv")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone takes such names")
def test_strange_names_come_back_as_they_were(run: TrainedRun, tmp_path: Path) -> None:
    names = ['say "a, b".png', os.fsdecode(b"not utf-8 \xff.png")]
    for name in names:
        save_image(tmp_path / "images" / name, PIXELS[0])
    write_predictions(run, tmp_path / "images", tmp_path / "table.csv")
    assert sorted(row[0] for row in rows(tmp_path / "table.csv")[1:]) == sorted(names)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone takes such names")
def test_no_name_is_run_as_a_formula_or_by_a_terminal(run: TrainedRun, tmp_path: Path) -> None:
    for name in ("=1+1.png", "two\nlines.png", "\x1b[2J.png"):
        save_image(tmp_path / "images" / name, PIXELS[0])
    odd = replace(run, classes=tuple(f"@{name}" for name in run.classes))
    write_predictions(odd, tmp_path / "images", tmp_path / "table.csv", probabilities=True)
    header, *body = rows(tmp_path / "table.csv")
    assert header[3:] == [f"p_@{name}" for name in run.classes]
    assert [row[0] for row in body] == ["\\x1b[2J.png", "'=1+1.png", "two\\nlines.png"]
    assert all(row[1].startswith("'@") for row in body)


def test_a_bar_on_a_terminal_alone(
    run: TrainedRun,
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_predictions(run, images, tmp_path / "table.csv", progress=True)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("FORCE_COLOR", "1")
    write_predictions(run, images, tmp_path / "table.csv", progress=True)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Predicting" in printed.err
