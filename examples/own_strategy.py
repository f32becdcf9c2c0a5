"""Active learning with your own query strategy.

    python examples/own_strategy.py

The strategy is information density (Settles & Craven 2008): the entropy of the predicted classes, times
the mean similarity of an image to all others. A strategy declares the quantities that it needs, and
receives them for the whole pool. The example compares it with margin sampling on digits, with one
seed: both start with the same labels and weights. Runs are saved in outputs/own_strategy.
"""

from pathlib import Path

from torch import Tensor
from torch.nn.functional import normalize

from al_lightning import (
    Budget,
    Evidence,
    Journal,
    Need,
    ScoreStrategy,
    Strategy,
    plain_loop,
)
from al_lightning.data import Digits
from al_lightning.strategies import Margin
from al_lightning.strategies.functional.uncertainty_scores import entropy


class InformationDensity(ScoreStrategy):
    """Queries images that are uncertain and typical: entropy times mean cosine similarity.

    Args:
        beta: How much the density counts; 0 makes it entropy sampling.
    """

    needs = frozenset({Need.PROBABILITIES, Need.EMBEDDINGS})

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        self.beta = beta

    def score(self, pool: Evidence) -> Tensor:
        """Score N images, (N,) float32; the highest are queried first."""
        directions = normalize(pool.require(Need.EMBEDDINGS))  # (N, D), of length 1
        # The mean of the products with all images is the product with their mean.
        density = (directions @ directions.mean(0)).clamp(min=0)
        return entropy(pool.require(Need.PROBABILITIES)) * density**self.beta


def run(strategy: Strategy, folder: Path) -> Journal:
    """Buy 80 labels by a strategy, 20 at a time."""
    budget = Budget(initial=20, query=20, total=80)
    return plain_loop(Digits(), strategy, folder, budget, epochs=10, batch_size=16).run()


def main(folder: Path = Path("outputs/own_strategy")) -> dict[str, Journal]:
    """Compare the strategy with margin sampling."""
    strategies = {"margin": Margin(), "density": InformationDensity()}
    journals = {name: run(strategy, folder / name) for name, strategy in strategies.items()}
    for name, journal in journals.items():
        accuracies = [f"{event['metrics']['accuracy']:.3f}" for event in journal.rounds]
        print(f"{name:8} {' '.join(accuracies)}")
    return journals


if __name__ == "__main__":
    main()
