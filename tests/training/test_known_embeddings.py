"""Embeddings that are taken over from an earlier version of a data set."""

import pickle
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from al_lightning.training.known_embeddings import KnownEmbeddings, digests_of, rows_known
from tests.helpers import tiny_images


def digests(*values: int) -> Tensor:
    return torch.tensor([[value] * 16 for value in values], dtype=torch.uint8)


def test_images_are_found_by_their_content_wherever_they_were() -> None:
    assert rows_known(digests(5, 7, 9, 5), digests(9, 5, 5)).tolist() == [1, -1, 0, 1]
    assert rows_known(digests(1), digests()).tolist() == [-1]


def test_rows_are_written_in_order_in_many_blocks(tmp_path: Path) -> None:
    np.save(tmp_path / "earlier.npy", np.arange(9000, dtype=np.float32)[:, None])
    rows = torch.arange(9000).flip(0)
    rows[::3] = -1
    new = -torch.arange(1.0, 1 + int((rows < 0).sum()))[:, None]
    known = KnownEmbeddings(tmp_path / "earlier.npy", rows)
    blocks = [*known.blocks(new)]
    assert len(pickle.dumps(known)) < 100_000  # other ranks get the rows alone, 8 bytes each
    assert len(blocks) > 1
    found = torch.cat(blocks).flatten()
    assert torch.equal(found[rows >= 0], rows[rows >= 0].float())
    assert torch.equal(found[rows < 0], new.flatten())


def test_only_data_sets_with_digests_have_them() -> None:
    train, test = tiny_images(4), tiny_images(3)
    assert digests_of((train, test)) is None
    named = [type(i)(i.pixels, i.labels, digests=digests(*range(len(i)))) for i in (train, test)]
    found = digests_of(named)
    assert found is not None
    assert found[:, 0].tolist() == [0, 1, 2, 3, 0, 1, 2]
