"""Times a pass over the pool against the bare network on batches in memory; run it by hand.

    python benchmarks/scoring.py [--images 20000] [--repeats 5] [--threads 1 2]

Fashion-MNIST's shape, the CNN, the precision that "auto" takes here. The pass yields embeddings and
probabilities; the bare network is called on batches that are normalised and laid out already. Of a
tenth of the images, 20 dropout samples are taken, against 20 calls of the bare network. What counts are
seconds of the processor. Figures go to benchmarks/results/scoring.json.
"""

import argparse
from collections.abc import Callable
from functools import partial

from al_lightning.utils.process import prepare_process

prepare_process()

import lightning as L  # noqa: E402 - after the process is prepared
import torch  # noqa: E402
from measuring import by_turns  # noqa: E402
from raw import record  # noqa: E402

from al_lightning import CNN, Need, Pool, Recipe, RoundTrainers, Scorer  # noqa: E402
from al_lightning.data.source import ImageData, Images, Normalization  # noqa: E402
from al_lightning.training.recipe import resolve_precision  # noqa: E402

_SAMPLES = 20


class _MadeUp:
    """Noise of Fashion-MNIST's shape."""

    def __init__(self, count: int) -> None:
        pixels = torch.randint(0, 256, (count, 1, 28, 28), dtype=torch.uint8)
        self._images = Images(pixels, torch.arange(count) % 10)

    def load(self) -> ImageData:
        """Return it."""
        constants = Normalization((0.286,), (0.353,))
        classes = tuple("abcdefghij")
        return ImageData(self._images, self._images.rows(torch.arange(10)), classes, constants)


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    found = {}
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        found[threads] = measure(arguments.images, arguments.repeats)
        print(threads, found[threads], flush=True)
    record("scoring", {"images": arguments.images, "seconds": found})


def measure(images: int, repeats: int) -> dict[str, list[float]]:
    """Return the seconds of the bare network, and of the passes, in turns."""
    recipe = Recipe()
    datamodule = recipe.datamodule(_MadeUp(images))
    data = datamodule.data
    ids = torch.arange(len(data.train))
    datamodule.begin_round(Pool(len(ids)).reveal(ids[:10], data.train.labels[:10]), 0)
    classifier = recipe.classifier(CNN(data.image_shape, 10), 10)
    make_trainer = partial(L.Trainer, accelerator="cpu", devices=1, enable_progress_bar=False)
    trainer = RoundTrainers(make_trainer, recipe)(0, 10)
    scorer = Scorer(trainer, classifier, datamodule, _SAMPLES)
    size, few = recipe.eval_batch_size, ids[: images // 10]
    batches, fewer = (
        [datamodule.prepare(data.train.pixels[part]) for part in torch.split(some, size)]
        for some in (ids, few)
    )
    bf16 = resolve_precision("auto", "cpu") == "bf16-mixed"

    def bare(some: list[torch.Tensor], calls: int = 1) -> None:
        classifier.eval()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            for batch in some:
                for _ in range(calls):
                    classifier(batch)

    ways: dict[str, Callable[[], object]] = {
        "bare": partial(bare, batches),
        "scored": partial(scorer.evidence, data.train, ids, {Need.PROBABILITIES, Need.EMBEDDINGS}),
        "bare, 20 times": partial(bare, fewer, _SAMPLES),
        "sampled": partial(scorer.evidence, data.train, few, {Need.MC_PROBABILITIES}),
    }
    return by_turns(ways, repeats)


if __name__ == "__main__":
    main()
