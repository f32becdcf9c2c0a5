"""A page of a few images, with a loop that waits for its labels."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import torch

from al_lightning.data.source import ImageData, Images
from al_lightning.oracles import PageOracle
from al_lightning.run.pool import Pool
from al_lightning.run.questions import Answer, Question
from tests.background import DEADLINE, Background

SIZE = 40  # images


def image_data(classes: tuple[str, ...] = ("cat", "dog", "owl")) -> ImageData:
    """Images of one color each."""
    colors = torch.linspace(0, 1, SIZE).view(-1, 1, 1, 1).expand(-1, 3, 16, 16).contiguous()
    images = Images(colors, torch.arange(SIZE) % len(classes))
    return ImageData(images, images.rows(torch.arange(4)), classes)


def ask(oracle: PageOracle, asked: Question) -> "Asked":
    oracle.corrections(Pool(SIZE))
    return Asked(oracle, asked)


class Asked:
    """The loop's thread: it waits for the answer to a question."""

    def __init__(self, oracle: PageOracle, asked: Question) -> None:
        self._answers: list[Answer | None] = []
        self._thread = Background(lambda: self._answers.append(oracle.answer(asked)))

    def end(self) -> Answer | None:
        self._thread.end()
        return self._answers[0]


def question(*ids: int, round_: int = 1, guesses: int = 3) -> Question:
    count = len(ids)
    predicted, sure = torch.arange(count) % guesses, torch.linspace(0.9, 0.5, count)
    return Question(round_, "query", torch.tensor(ids), 0, torch.zeros(count), predicted, sure)


class Client:
    """A client that is no browser, with the token's cookie."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.base = f"{parts.scheme}://{parts.netloc}"
        self.token = parse_qs(parts.query)["token"][0]
        self.http = httpx.Client(base_url=self.base, timeout=DEADLINE)
        self.http.get("/", params={"token": self.token}).raise_for_status()

    def post(self, path: str, **body: Any) -> httpx.Response:
        body = {"tab": "t", "by": "", **body}
        return self.http.post(path, json=body, headers={"origin": self.base})


@contextmanager
def served(
    folder: Path, data: ImageData | None = None, **options: Any
) -> Iterator[tuple[PageOracle, str]]:
    """Serve a page; yield the oracle and the address."""
    oracle = PageOracle(data or image_data(), folder, open_browser=False, **options)
    try:
        yield oracle, oracle.start()
    finally:
        oracle.close()
