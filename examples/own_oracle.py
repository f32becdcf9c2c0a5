"""Active learning with your own oracle: a person at the keyboard.

    python examples/own_oracle.py

An oracle receives a question, the images to label, and returns an answer: their classes, and the
images that cannot be labeled. After `None` the run ends, and the next start passes the same
question again. This oracle shows each digit as text and reads its class from the keyboard. Enter
`s` to skip an image, and an empty line to stop. The run is saved in outputs/own_oracle.
"""

from collections.abc import Callable
from pathlib import Path

import torch

from al_lightning import (
    Answer,
    Budget,
    Images,
    Journal,
    Oracle,
    Question,
    plain_loop,
)
from al_lightning.data import Digits
from al_lightning.strategies import Margin


class KeyboardOracle(Oracle):
    """Shows the images of a question one by one, and reads their classes from the keyboard.

    Args:
        images: The training images, by dataset id.
        ask: Shows a text and returns one line, as :func:`input` does.
    """

    def __init__(self, images: Images, ask: Callable[[str], str] = input) -> None:
        self.images = images
        self.ask = ask

    def answer(self, question: Question) -> Answer | None:
        """Ask for all classes; None stops the run."""
        lines = []
        for index in question.ids.tolist():
            line = self.ask_until_valid(f"{self.draw(index)}\nImage {index}, class 0 to 9: ")
            if not line:
                return None
            lines.append(line)
        skipped = torch.tensor([line == "s" for line in lines])
        labels = torch.tensor([int(line) for line in lines if line != "s"], dtype=torch.int64)
        return Answer(question.ids[~skipped], labels, question.ids[skipped])

    def ask_until_valid(self, text: str) -> str:
        """Return one of "0" to "9", "s" to skip, or an empty line to stop."""
        while (line := self.ask(text).strip()) not in [*"0123456789s", ""]:
            pass
        return line

    def draw(self, index: int) -> str:
        """Return an image as text, one line a row of pixels."""
        pixels = self.images.pixels[torch.tensor([index])]  # (1, 1, 8, 8) uint8
        rows = pixels[0, 0].tolist()
        return "\n".join("".join(" .:*#"[pixel // 52] * 2 for pixel in row) for row in rows)


def main(folder: Path = Path("outputs/own_oracle"), ask: Callable[[str], str] = input) -> Journal:
    """Ask for 20 labels, and then for 10 more, by margin."""
    source = Digits()
    oracle = KeyboardOracle(source.load().train, ask)
    budget = Budget(initial=20, query=10, total=30, initial_policy="uniform")
    loop = plain_loop(source, Margin(), folder, budget, oracle=oracle, epochs=20, batch_size=16)
    for event in loop.run().rounds:
        print(f"{event['labels_bought']:4} labels: accuracy {event['metrics']['accuracy']:.3f}")
    return loop.journal


if __name__ == "__main__":
    main()
