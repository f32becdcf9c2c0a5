import re
from pathlib import Path

import pytest
import torch

from al_lightning import Images, Question
from al_lightning.data import Digits
from tests.examples.loading import load_example

EXAMPLE = load_example("own_oracle")


def test_an_image_is_drawn_in_five_shades_of_two_characters_a_pixel() -> None:
    pixels = torch.tensor([[0, 51, 52], [104, 207, 255]], dtype=torch.uint8)
    oracle = EXAMPLE.KeyboardOracle(Images(pixels.view(1, 1, 2, 3), torch.tensor([0])))
    assert oracle.draw(0) == "    ..\n::**##"


def test_an_answer_has_the_classes_and_what_was_skipped() -> None:
    lines = iter(["7", "ten", " 3 ", "s"])
    oracle = EXAMPLE.KeyboardOracle(
        Images(torch.zeros(9, 1, 2, 2, dtype=torch.uint8), torch.zeros(9, dtype=torch.int64)),
        lambda _: next(lines),
    )
    answer = oracle.answer(Question(0, "query", torch.tensor([8, 2, 5])))
    assert answer.ids.tolist() == [8, 2]
    assert answer.labels.tolist() == [7, 3]
    assert answer.skipped.tolist() == [5]


def test_an_empty_line_stops_and_the_next_start_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = Digits().load().train.labels
    asked: list[list[int]] = [[]]

    def stop_at_the_third(text: str) -> str:
        asked[-1].append(_image(text))
        return "" if len(asked[-1]) == 3 else str(int(truth[asked[-1][-1]]))

    def answer_all(text: str) -> str:
        asked[-1].append(_image(text))
        return str(int(truth[asked[-1][-1]]))

    stopped = EXAMPLE.main(tmp_path, stop_at_the_third)
    assert stopped.open_question is not None
    asked.append([])
    journal = EXAMPLE.main(tmp_path, answer_all)
    assert journal.finished
    assert asked[1][:3] == asked[0]
    assert [event["labels_bought"] for event in journal.rounds] == [20, 30]
    assert journal.pool.labels.equal(truth[journal.pool.labeled_ids])
    assert "  30 labels: accuracy 0." in capsys.readouterr().out


def _image(text: str) -> int:
    found = re.search(r"Image (\d+), class", text)
    assert found is not None
    return int(found[1])
