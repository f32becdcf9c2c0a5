"""Evidence that looks like a small network's, for the benchmarks of selection."""

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Evidence, Need

CLASSES, DIMENSIONS, SAMPLES = 10, 512, 20
_PASSES, _DROPPED = 3, 0.75  # of dropped features
_CHUNK = 20_000  # rows made at a time


def make_embeddings(count: int, seed: int = 0) -> Tensor:
    """Return embeddings as a small network would yield them, (count, 512) float32.

    10 overlapping clusters in 32 dimensions, sent through a random layer with ReLU.
    """
    fixed = torch.Generator().manual_seed(0)
    means = 2 * torch.randn(CLASSES, 32, generator=fixed)
    layer = torch.randn(32, DIMENSIONS, generator=fixed) / 5
    generator = torch.Generator().manual_seed(seed)
    embeddings = torch.empty(count, DIMENSIONS)
    for rows in torch.split(embeddings, _CHUNK):
        latent = means[torch.randint(CLASSES, (len(rows),), generator=generator)]
        spread = 0.5 + torch.rand(len(rows), 1, generator=generator)
        latent += torch.randn(len(rows), 32, generator=generator) * spread
        rows.copy_(torch.relu(latent @ layer))
    return embeddings


def make_evidence(count: int, needs: frozenset[Need], seed: int = 0) -> Evidence:
    """Return evidence on made-up images: their embeddings, and what linear heads make of them."""
    embeddings = make_embeddings(count, seed)
    generator = torch.Generator().manual_seed(1)
    head = torch.randn(DIMENSIONS, CLASSES, generator=generator) / 8
    found: dict[str, Tensor] = {}
    if Need.PROBABILITIES in needs:
        found["probabilities"] = (embeddings @ head).softmax(1)
    if Need.CALIBRATED_PROBABILITIES in needs:
        found["calibrated_probabilities"] = (embeddings @ head / 2).softmax(1)
    if Need.DROPPED_FEATURES in needs:
        found["dropped_features"] = torch.empty(count, _PASSES, CLASSES)
        for at in torch.split(torch.arange(count), _CHUNK):
            for k in range(_PASSES):
                kept = torch.rand(len(at), DIMENSIONS, generator=generator) >= _DROPPED
                logits = (embeddings[at] * kept / (1 - _DROPPED)) @ head
                found["dropped_features"][at, k] = logits.softmax(1)
    if Need.MC_PROBABILITIES in needs:
        samples = torch.empty(count, SAMPLES, CLASSES)
        for k in range(SAMPLES):
            kept = (
                torch.rand(DIMENSIONS, 1, generator=generator) < 0.5
            )  # dropout .5 before the head
            for part, rows in zip(
                torch.split(samples, _CHUNK), torch.split(embeddings, _CHUNK), strict=True
            ):
                part[:, k] = (rows @ (2 * head * kept)).softmax(1)
        found["mc_probabilities"] = samples
    if Need.EMBEDDINGS in needs:
        found["embeddings"] = embeddings
    return Evidence(torch.arange(count), **found)
