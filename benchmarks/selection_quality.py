"""What strategies are worth on frozen embeddings: paired by seed, in minutes; run it by hand.

    python benchmarks/selection_quality.py EMBEDDINGS.npy DATA_SET [--strategies margin random ...]

EMBEDDINGS.npy is an entry of ``<output_root>/.cache/embeddings`` (training images first), which a run
such as ``dataset=cifar10 model=efficientnet_lite0_linear`` leaves. Each seed draws a pool and first
labels, which all strategies share; a logistic regression learns from what they choose. Embeddings are
reduced to their main directions, so that a selection takes little time. It prints the mean accuracy
after the queries, and the difference from the first strategy, by seed, with Student's 95 % interval.
"""

import argparse
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from selection_scaling import from_conf, make_strategy
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from al_lightning.report.statistics.paired import mean_interval
from al_lightning.strategies import Strategy
from al_lightning.strategies.evidence import Evidence, Need

_DIRECTIONS, _POOL, _TEST = 128, 4_000, 5_000
_CLASSES = 10


def main() -> None:
    """Compare, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("embeddings", type=Path)
    parser.add_argument("dataset")
    parser.add_argument("--strategies", nargs="+", default=["random", "margin", "cluster_margin"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--initial", type=int, default=20)
    parser.add_argument("--query", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = read(options.embeddings, options.dataset)
    strategies = {name: make_strategy(name) for name in options.strategies}
    report(compare(data, strategies, options.seeds, options.initial, options.query, options.rounds))


def read(path: Path, dataset: str) -> tuple[Tensor, Tensor]:
    """Return embeddings, (N, D) float32, and labels, (N,) int64, training images first."""
    data = from_conf("dataset", dataset).read()
    rows = np.load(path)
    reduced = PCA(_DIRECTIONS, random_state=0).fit(rows[::10]).transform(rows)
    labels = torch.cat([data.train.labels, data.test.labels])
    return torch.from_numpy(reduced).float(), labels


def compare(
    data: tuple[Tensor, Tensor],
    strategies: Mapping[str, Strategy],
    seeds: int,
    initial: int,
    query: int,
    rounds: int,
) -> dict[str, list[float]]:
    """Return the mean accuracy after each query, by strategy and seed."""
    found: dict[str, list[float]] = {name: [] for name in strategies}
    for seed in range(seeds):
        for name, strategy in strategies.items():
            found[name].append(_play(data, strategy, seed, initial, query, rounds))
        print(seed, {name: f"{values[-1]:.3f}" for name, values in found.items()}, file=sys.stderr)
    return found


def report(found: Mapping[str, list[float]]) -> None:
    """Print means, and paired differences from the first."""
    reference = np.array(next(iter(found.values())))
    for name, values in found.items():
        gaps = mean_interval((np.array(values) - reference).tolist())
        mean, _, high = np.array(gaps, float)  # of one seed, NaN
        print(f"{name:24} {np.mean(values):.4f}  {mean:+.4f} +- {high - mean:.4f}")


def _play(
    data: tuple[Tensor, Tensor],
    strategy: Strategy,
    seed: int,
    initial: int,
    query: int,
    rounds: int,
) -> float:
    """Return the mean accuracy after each query."""
    rows, labels = data
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
    pool, test = order[:_POOL], order[_POOL : _POOL + _TEST]
    known, accuracies = pool[:initial], []
    generator = torch.Generator().manual_seed(seed)
    for _ in range(rounds):
        rest = pool[~torch.isin(pool, known)]
        probabilities = _predict(rows, labels, known, rest) if len(known) else None
        evidence = Evidence(rest, probabilities, rows[rest])
        labeled = Evidence(known, embeddings=rows[known])
        asked = strategy.select(_only(evidence, strategy), labeled, query, generator).ids
        known = torch.cat([known, asked])
        predicted = _predict(rows, labels, known, test).argmax(1)
        accuracies.append(float((predicted == labels[test]).double().mean()))
    return float(np.mean(accuracies))


def _only(evidence: Evidence, strategy: Strategy) -> Evidence:
    kept = {need.value: evidence.require(need) for need in strategy.needs}
    return (
        Evidence(evidence.ids, **kept) if Need.MC_PROBABILITIES not in strategy.needs else evidence
    )


def _predict(rows: Tensor, labels: Tensor, known: Tensor, others: Tensor) -> Tensor:
    """Return probabilities, (M, C) float32, by a logistic regression on what is known."""
    found = torch.zeros(len(others), _CLASSES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=0.1, max_iter=100).fit(rows[known].numpy(), labels[known])
    found[:, model.classes_] = torch.from_numpy(model.predict_proba(rows[others].numpy())).float()
    return found


if __name__ == "__main__":
    main()
