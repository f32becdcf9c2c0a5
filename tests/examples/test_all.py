from pathlib import Path

import pytest

from tests.examples.loading import EXAMPLES


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_short_and_has_a_test(example: Path) -> None:
    assert len(example.read_text(encoding="utf-8").splitlines()) < 100
    assert Path(__file__).with_name(f"test_{example.name}").exists()
