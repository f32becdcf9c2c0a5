"""What shortens a fit, tried by a loop by hand: optimisers, schedules, flips, whitening, warm starts.

    python benchmarks/recipe_by_hand.py --data-root DATA --out results.jsonl --shard 0/2

Fashion-MNIST, the CNN, one thread, bf16. Each line of the output is one fit: what was changed, the
number of labels, accuracy, NLL and ECE on 10,000 held-out training images, and the seconds of CPU time.
The test set is not read. Fits that the output has already are passed over.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from al_lightning.utils.process import prepare_process

prepare_process()

import torch  # noqa: E402 - after the process is prepared
import torch.nn.functional as F  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.optim import SGD, AdamW, Muon, Optimizer  # noqa: E402

from al_lightning import CNN  # noqa: E402
from al_lightning.data import FashionMNIST, RandomShift  # noqa: E402
from al_lightning.data.transforms import Normalize, measure_normalization, to_unit  # noqa: E402
from al_lightning.models.classifier import decay_weights_alone  # noqa: E402
from al_lightning.models.metrics import evaluate  # noqa: E402
from al_lightning.training.muon import MuonAdamW  # noqa: E402
from al_lightning.utils.batch_sizes import batch_sizes  # noqa: E402
from al_lightning.utils.randomness import derive_generator, derive_seed  # noqa: E402

HELD_OUT = 10_000
_WHITENED = 2_000  # unlabeled images that the first layer is whitened by
_EVAL_BATCH = 500


@dataclass(frozen=True)
class Fit:
    """One fit: the number of labels, and what may be changed.

    Attributes:
        optimizer: A key of ``OPTIMIZERS``.
        half: Whether it takes half of the steps: 750 at least, 16 epochs.
        decay: Of all parameters, or of weights alone.
        flip: Drawn for each image, or alternating with the epochs (Jordan 2024, airbench).
        norm_momentum: Of the running statistics of batch norm.
        whitened: Whether the first layer starts from a whitening of unlabeled patches.
        warm: Whether it starts from the weights of a fit on 500 labels fewer, shrunk by .4 and
            perturbed by .1 of fresh ones (Ash & Adams 2020).
    """

    labels: int
    seed: int = 1000
    optimizer: str = "adamw"
    half: bool = True
    lr: float = 3e-3
    filters_lr: float = 0.05
    filters_momentum: float = 0.95
    filters_decay: float = 0.0
    weight_decay: float = 0.1
    decay: str = "all"
    schedule: str = "cosine"
    flip: str = "random"
    batch_size: int = 64
    label_smoothing: float = 0.1
    norm_momentum: float = 0.1
    whitened: bool = False
    warm: bool = False


_MUON: dict[str, Any] = {"optimizer": "muon"}
CHANGES: list[dict[str, Any]] = [
    {"half": False},
    {},
    _MUON,
    {**_MUON, "filters_lr": 0.1},
    {**_MUON, "filters_momentum": 0.9},
    {**_MUON, "filters_decay": 0.1},
    {**_MUON, "lr": 2e-3},
    {**_MUON, "lr": 5e-3},
    {**_MUON, "weight_decay": 0.3},
    {**_MUON, "decay": "weights"},
    {**_MUON, "label_smoothing": 0.0},
    {**_MUON, "schedule": "linear"},
    {**_MUON, "flip": "alternating"},
    {**_MUON, "norm_momentum": 0.3},
    {**_MUON, "whitened": True},
    {**_MUON, "warm": True},
    {"optimizer": "muon_dense"},
    {"optimizer": "nesterov", "lr": 0.05, "weight_decay": 5e-4},
]


def _groups(network: nn.Module, fit: Fit) -> list[dict[str, Any]]:
    groups = [{"params": list(network.parameters())}]
    return decay_weights_alone(groups) if fit.decay == "weights" else groups


def _muon(network: nn.Module, fit: Fit) -> list[Optimizer]:
    return [
        MuonAdamW(
            _groups(network, fit),
            lr=fit.lr,
            weight_decay=fit.weight_decay,
            fused=True,
            filters_lr=fit.filters_lr,
            filters_momentum=fit.filters_momentum,
            filters_weight_decay=fit.filters_decay,
        )
    ]


def _muon_dense(network: nn.Module, fit: Fit) -> list[Optimizer]:
    """Muon for the hidden dense layer too; the output layer stays with AdamW."""
    hidden = [p for p in network.parameters() if p.ndim == 2][:-1]
    others = [p for p in network.parameters() if all(p is not other for other in hidden)]
    return [
        MuonAdamW(others, lr=fit.lr, weight_decay=fit.weight_decay, filters_lr=fit.filters_lr),
        Muon(hidden, lr=fit.filters_lr, weight_decay=0.0),
    ]


OPTIMIZERS: dict[str, Callable[[nn.Module, Fit], list[Optimizer]]] = {
    "adamw": lambda network, fit: [
        AdamW(_groups(network, fit), lr=fit.lr, weight_decay=fit.weight_decay, fused=True)
    ],
    "nesterov": lambda network, fit: [
        SGD(
            *(_groups(network, fit), fit.lr),
            momentum=0.9,
            nesterov=True,
            weight_decay=fit.weight_decay,
        )
    ],
    "muon": _muon,
    "muon_dense": _muon_dense,
}


class Data:
    """Fashion-MNIST's training images, in [0, 1], and their classes."""

    def __init__(self, root: str) -> None:
        train = FashionMNIST(root=root).load().train
        self.images = to_unit(train.pixels[:])
        self.normalize = Normalize(measure_normalization(train.pixels))
        self.classes = train.labels

    def split(self, fit: Fit) -> tuple[Tensor, Tensor]:
        """Return the ids to train on, and those that are held out."""
        order = torch.randperm(len(self.classes), generator=derive_generator(fit.seed, "tune"))
        return order[: fit.labels], order[-HELD_OUT:]


def train(data: Data, fit: Fit) -> tuple[nn.Module, int]:
    """Return the fitted network, and the number of steps."""
    ids, held_out = data.split(fit)
    start = train(data, replace(fit, labels=fit.labels - 500, warm=False))[0] if fit.warm else None
    torch.manual_seed(derive_seed(fit.seed, "weights"))
    network = CNN((1, 28, 28), 10).to(memory_format=torch.channels_last)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = fit.norm_momentum
    if fit.whitened:
        _whiten(network, data.normalize(data.images[held_out[:_WHITENED]]))
    if start is not None:
        _shrink_and_perturb(network, start)
    steps = _steps(fit)
    optimizers = OPTIMIZERS[fit.optimizer](network, fit)
    peaks = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
    batches = _batches(data, ids, fit)
    network.train()
    for step in range(steps):
        images, classes = next(batches)
        for optimizer, rates in zip(optimizers, peaks, strict=True):
            _set_rates(optimizer, rates, _factor(step / steps, fit.schedule))
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(images)
        loss = F.cross_entropy(logits.float(), classes, label_smoothing=fit.label_smoothing)
        torch.autograd.backward(loss)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    return network, steps


def _steps(fit: Fit) -> int:
    steps = max(1500, 32 * len(batch_sizes(fit.labels, fit.batch_size)))
    return steps // 2 if fit.half else steps


def _set_rates(optimizer: Optimizer, peaks: list[float], factor: float) -> None:
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        group["lr"] = peak * factor
        if "betas" in group:
            group["betas"] = (0.95 - 0.1 * factor, 0.999)


def _factor(done: float, schedule: str, warm_up: float = 0.25) -> float:
    """Return the learning rate over its peak: up to it from 1/25, and down to 0."""
    rising = done < warm_up
    share = done / warm_up if rising else (1 - done) / (1 - warm_up)
    if schedule == "cosine":
        share = (1 - math.cos(math.pi * share)) / 2
    return 0.04 + 0.96 * share if rising else share


def _batches(data: Data, ids: Tensor, fit: Fit) -> Iterator[tuple[Tensor, Tensor]]:
    images, classes = data.images[ids], data.classes[ids]
    generator = torch.Generator().manual_seed(fit.seed)
    shift, flipped, epoch = RandomShift(0.035), torch.rand(len(classes)) < 0.5, 0
    while True:
        order = torch.randperm(len(classes), generator=generator)
        for batch in torch.split(order, batch_sizes(len(classes), fit.batch_size)):
            chosen = flipped[batch] ^ bool(epoch % 2)
            if fit.flip == "random":
                chosen = torch.rand(len(batch)) < 0.5
            some = images[batch]
            some = shift(torch.where(chosen[:, None, None, None], some.flip(3), some))
            some = data.normalize(some)
            yield some.contiguous(memory_format=torch.channels_last), classes[batch]
        epoch += 1


def _whiten(network: nn.Module, images: Tensor) -> None:
    """Let the first filters be the whitening of patches, and their negatives; of unchanged scale."""
    weight = next(p for p in network.parameters() if p.ndim == 4)
    size = weight[0].numel()
    patches = F.unfold(images, weight.shape[-1]).transpose(1, 2).reshape(-1, size).double()
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    rows = vectors.T / (values.sqrt()[:, None] + 1e-2)
    filters = torch.cat([rows, -rows]).float().view(-1, *weight.shape[1:])[: len(weight)]
    with torch.no_grad():
        weight[: len(filters)] = filters * weight.std() / filters.std()


@torch.no_grad()
def _shrink_and_perturb(network: nn.Module, start: nn.Module) -> None:
    for parameter, earlier in zip(network.parameters(), start.parameters(), strict=True):
        parameter.mul_(0.1).add_(earlier, alpha=0.4)


def measure(network: nn.Module, images: Tensor, classes: Tensor) -> dict[str, float]:
    """Return accuracy, NLL and ECE."""
    network.eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        logits = torch.cat([network(part).float() for part in torch.split(images, _EVAL_BATCH)])
    metrics, _, _ = evaluate(logits.softmax(1), classes)
    return {name: metrics[name] for name in ("accuracy", "nll", "ece")}


def main() -> None:
    """Fit what is missing of this process's share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-root", default="data")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--labels", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument("--changes", type=int, nargs="+", default=range(len(CHANGES)))
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--shard", default="0/1", help="i/n: this process does every n-th fit")
    args = parser.parse_args()
    torch.set_num_threads(1)
    index, count = map(int, args.shard.split("/"))
    known = args.out.read_text().splitlines() if args.out.exists() else []
    done = [json.loads(line)["fit"] for line in known]
    fits = [Fit(n, args.seed, **CHANGES[c]) for c in args.changes for n in args.labels]
    data = Data(args.data_root)
    for fit in fits[index::count]:
        if asdict(fit) in done:
            continue
        began = time.process_time()
        network, steps = train(data, fit)
        seconds = time.process_time() - began
        held_out = data.split(fit)[1]
        images = data.normalize(data.images[held_out])
        found = measure(network, images, data.classes[held_out])
        line = {"fit": asdict(fit), **found, "steps": steps, "cpu_seconds": seconds}
        with args.out.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(line, flush=True)


if __name__ == "__main__":
    main()
