"""Active learning with your own LightningModule and Dataset, without Hydra.

    python examples/own_model.py

Besides training, the loop requires two methods of the module: `embed` (images to embeddings) and
`classify` (embeddings to logits). The items of the data set must be (image, label). The run is
saved in outputs/own_model. The same command continues it, or shows the results of a finished run.
"""

from pathlib import Path

import lightning as L
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import Subset, TensorDataset, random_split

from al_lightning import Budget, DatasetSource, Journal, plain_loop
from al_lightning.strategies import Margin


class OwnModel(L.LightningModule):
    """Two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU())
        self.output = nn.Linear(128, 10)

    def embed(self, images: Tensor) -> Tensor:
        """Map images to embeddings."""
        embeddings: Tensor = self.hidden(images)
        return embeddings

    def classify(self, embeddings: Tensor) -> Tensor:
        """Map embeddings to logits."""
        logits: Tensor = self.output(embeddings)
        return logits

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:  # noqa: ARG002
        """Return the loss of a batch."""
        images, labels = batch
        return nn.functional.cross_entropy(self.classify(self.embed(images)), labels)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Train with Adam."""
        return torch.optim.Adam(self.parameters(), lr=1e-3)


def own_datasets() -> list[Subset[tuple[Tensor, ...]]]:
    """Return any two map-style data sets of (image, label)."""
    pixels, labels = load_digits(return_X_y=True)
    images = torch.tensor(pixels, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    everything = TensorDataset(images, torch.tensor(labels))
    return random_split(everything, [1297, 500], torch.Generator().manual_seed(0))


def main(folder: Path = Path("outputs/own_model")) -> Journal:
    """Buy 200 labels, 20 at a time, by margin."""
    train, test = own_datasets()
    source, budget = DatasetSource(train, test), Budget(initial=40, query=20, total=200)
    loop = plain_loop(source, Margin(), folder, budget, make_classifier=OwnModel, batch_size=32)
    journal = loop.run()
    for event in journal.rounds:
        print(f"{event['labels_bought']:4} labels: accuracy {event['metrics']['accuracy']:.3f}")
    return journal


if __name__ == "__main__":
    main()
