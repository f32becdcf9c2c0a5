import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from al_lightning.inference.model_inputs import batches, checked, describe_decoding
from al_lightning.inference.trained import TrainedRun, load_trained
from al_lightning.utils.errors import DataError, UsageError
from tests.helpers import tiny_images
from tests.inference.trained_runs import write_trained

PIXELS = tiny_images(5).pixels[:]
RGB = (3, 4, 6)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    return load_trained(write_trained(tmp_path_factory.mktemp("run")))


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (
            PIXELS.float(),
            r"in \[0, 1\], not from \S+ to 2.*images.to\(torch.uint8\) or images / 255",
        ),
        ((PIXELS / 255 - 0.5) / 0.5, r"in \[0, 1\], not from -\S+ to .*Do not normalise them"),
        (torch.full((1, 1, 8, 8), float("nan")), r"in \[0, 1\], not from nan"),
        (PIXELS.long(), "not torch.int64"),
        (PIXELS > 3, "not torch.bool"),
        (PIXELS[0], r"a single one is images\[None\]"),
        (PIXELS.permute(0, 2, 3, 1), r"permute\(0, 3, 1, 2\)"),
        (PIXELS[..., :7], r"are \(B, 1, 8, 8\), not \(5, 1, 8, 7\): resize them"),
    ],
)
def test_other_pixels_are_refused(run: TrainedRun, images: torch.Tensor, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run.predict(images)


def test_pixels_of_all_kinds_give_the_same(run: TrainedRun) -> None:
    expected = run.predict(PIXELS)
    for same in (PIXELS / 255, PIXELS.double() / 255, PIXELS.numpy(), PIXELS.numpy() / 255):
        torch.testing.assert_close(run.predict(same), expected)


def test_files_give_what_their_pixels_give(run: TrainedRun, tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(5)]
    for path, pixels in zip(paths, PIXELS, strict=True):
        Image.fromarray(pixels[0].numpy()).save(path)
    expected = run.predict(PIXELS)
    assert torch.equal(run.predict(paths), expected)
    assert torch.equal(run.predict(tuple(map(str, paths))), expected)
    # A batch of one may differ from a batch of five in its last bit.
    alone = run.predict(PIXELS[3:4])
    assert torch.equal(run.predict(paths[3]), alone)
    assert torch.equal(run.predict(str(paths[3])), alone)


def test_files_are_read_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("al_lightning.inference.model_inputs._BATCH", 2)
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    sizes = [len(part) for part in batches([tmp_path / "a.png"] * 5, (1, 8, 8))]
    assert sizes == [2, 2, 1]


def test_files_that_cannot_be_read_are_named(run: TrainedRun, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no image", encoding="utf-8")
    with pytest.raises(DataError, match=r"cannot be read: .*bad.png: .*; .*gone.png: "):
        run.predict([tmp_path / "bad.png", tmp_path / "gone.png"])
    with pytest.raises(UsageError, match="is a folder: list its files"):
        run.predict(tmp_path)


@pytest.mark.parametrize("images", [None, 3, [], [3], [PIXELS]])
def test_what_is_no_image_is_refused(run: TrainedRun, images: Any) -> None:
    with pytest.raises(UsageError, match="Images are a tensor or an array"):
        run.predict(images)


def test_files_have_one_or_three_channels(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="5 channels, and image files have 1 or 3"):
        next(batches(tmp_path / "a.png", (5, 8, 8)))


def test_a_batch_that_fits_passes() -> None:
    assert checked(torch.zeros(0, *RGB), RGB).shape == (0, *RGB)
    assert checked(torch.ones(2, *RGB, dtype=torch.float16), RGB).dtype == torch.float32


def test_the_range_of_deep_images_is_said() -> None:
    said = json.loads(describe_decoding(RGB, (-1000, 65535)))["more_than_8_bits"]
    assert said == "to bytes at first: black is -1000, white is 65535"
    assert json.loads(describe_decoding(RGB))["more_than_8_bits"] == "refused"


def test_the_decoding_is_what_is_said(tmp_path: Path) -> None:
    """As a user would do it from the metadata alone, by PIL's own function for it."""
    said = json.loads(describe_decoding(RGB))
    path, draw = tmp_path / "a.png", np.random.default_rng(0)
    Image.fromarray(draw.integers(0, 255, (40, 90, 3), dtype=np.uint8)).save(path)
    height, width = said["size"]
    fitted = ImageOps.fit(Image.open(path), (width, height), Image.Resampling.BICUBIC)
    (pixels,) = batches(path, RGB)
    assert torch.equal(pixels[0], torch.from_numpy(np.array(fitted)).permute(2, 0, 1))
