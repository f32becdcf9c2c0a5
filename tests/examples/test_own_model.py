import importlib.util
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_model.py"


def test_the_example_learns_and_keeps_its_journal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("own_model", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    journal = example.main(tmp_path)
    assert journal.finished
    assert [event["labels_bought"] for event in journal.rounds] == [*range(40, 201, 20)]
    assert journal.rounds[-1]["metrics"]["accuracy"] > 0.9
    assert " 200 labels: accuracy 0.9" in capsys.readouterr().out
