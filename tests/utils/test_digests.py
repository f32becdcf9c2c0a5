import hashlib
import struct

import torch

from al_lightning.utils.digests import tensors_digest


def test_a_digest_is_of_names_types_shapes_and_bytes() -> None:
    tensors = {"w": torch.tensor([[1.0, 2.0]]), "n": torch.tensor(7)}
    expected = hashlib.sha256(b"facts")
    expected.update(b"w torch.float32 (1, 2)" + struct.pack("<2f", 1, 2))
    expected.update(b"n torch.int64 ()" + struct.pack("<q", 7))
    assert tensors_digest(tensors, b"facts") == expected.hexdigest()


def test_a_flipped_bit_another_name_and_another_shape_are_other_digests() -> None:
    weights = torch.zeros(4, 2)
    flipped = weights.clone()
    flipped[3, 1] = -0.0
    found = [{"w": weights}, {"w": flipped}, {"v": weights}, {"w": weights.reshape(2, 4)}]
    assert len(set(map(tensors_digest, found))) == 4


def test_the_place_in_memory_does_not_matter() -> None:
    weights = torch.arange(6.0).reshape(2, 3)
    assert tensors_digest({"w": weights.T.contiguous().T}) == tensors_digest({"w": weights})
