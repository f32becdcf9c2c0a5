from pathlib import Path

import pytest

from tests.examples.loading import load_example


def test_the_example_learns_and_keeps_its_journal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = load_example("own_model").main(tmp_path)
    assert journal.finished
    assert [event["labels_bought"] for event in journal.rounds] == [*range(40, 201, 20)]
    assert journal.rounds[-1]["metrics"]["accuracy"] > 0.9
    assert " 200 labels: accuracy 0.9" in capsys.readouterr().out
