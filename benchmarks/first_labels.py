"""How many of the first labels are of the rarest class, by policy; run it by hand.

    python benchmarks/first_labels.py --data-root DATA

Imbalanced Fashion-MNIST, 500 first labels, seeds 0 to 9. Figures go to
benchmarks/results/first_labels.json.
"""

import argparse

import torch
from raw import record

from al_lightning.data import FashionMNIST
from al_lightning.loop.first_labels import draw_balanced, draw_uniform

LABELS, SEEDS, RATIO = 500, range(10), 50.0


def main() -> None:
    """Draw; print and keep the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data-root", default="data")
    root = parser.parse_args().data_root
    source = FashionMNIST(root=root, imbalance="exponential", imbalance_ratio=RATIO)
    classes = source.load().train.labels
    counts = classes.bincount()
    rarest, ids = int(counts.argmin()), torch.arange(len(classes))
    drawn = {
        "uniform": [draw_uniform(ids, LABELS, seed) for seed in SEEDS],
        "balanced": [draw_balanced(ids, classes, LABELS, seed) for seed in SEEDS],
    }
    found = {
        "labels": LABELS,
        "images_of_the_rarest": int(counts[rarest]),
        "policies": {
            name: [int((classes[some] == rarest).sum()) for some in draws]
            for name, draws in drawn.items()
        },
    }
    print(found)
    record("first_labels", found)


if __name__ == "__main__":
    main()
