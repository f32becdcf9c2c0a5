"""Digests of tensors."""

import hashlib
from collections.abc import Mapping

import torch


def tensors_digest(tensors: Mapping[str, torch.Tensor], start: bytes = b"") -> str:
    """Return the SHA-256 of named tensors: their names, types, shapes and bytes, in their order.

    Args:
        tensors: On any device.
        start: What the digest covers besides, before them.
    """
    digest = hashlib.sha256(start)
    for name, tensor in tensors.items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()
