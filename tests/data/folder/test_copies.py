import logging
from pathlib import Path

import pytest
import torch

from al_lightning.data.files.file_rows import FileRows
from al_lightning.data.folder.copies import leave_out_copies, with_labels_of_copies


def rows(names: str) -> FileRows:
    files = tuple(Path(f"{name}.png") for name in names)
    shown, count = tuple(map(str, files)), len(files)
    no_label, is_test = torch.full((count,), -1), torch.zeros(count, dtype=torch.bool)
    return FileRows(files, shown, shown, no_label, is_test, has_test=False, has_unlabeled=True)


@pytest.mark.parametrize(
    ("kept", "copied"), [((), [1, 2]), ((2,), [0, 1]), ((1, 2), [0]), ((0, 1, 2), [])]
)
def test_what_is_kept_is_no_copy(
    kept: tuple[int, ...], copied: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = leave_out_copies(Path("images"), [(0, 1, 2)], set(), rows("abcd"), kept)
    assert sorted(found) == copied
    assert len(caplog.records) == bool(copied)


def test_an_image_without_a_label_has_that_of_a_copy_but_not_of_a_test_image() -> None:
    labels, is_test = torch.tensor([-1, 2, -1, 1]), torch.tensor([False, False, False, True])
    found = with_labels_of_copies(labels, [(0, 1), (2, 3)], is_test)
    assert found.tolist() == [2, 2, -1, 1]
