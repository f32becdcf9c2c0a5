from pathlib import Path

import pytest

from tests.command_line import QUICK, Here

GLOBAL = b"# @package _global_\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GLOBAL + b"names:\n  strategy: \xfc\n", "mine.yaml is not in UTF-8: save it as UTF-8"),
        (b"5\n", "mine.yaml holds no keys"),
        (GLOBAL + b"defaults:\n  - mine\n", "A YAML file includes itself"),
        (GLOBAL + b"x: " + 2000 * b"[" + 2000 * b"]", "mine.yaml is nested too deeply"),
        (GLOBAL + b"defaults: 5\n", "experiment/mine', defaults must be a list"),
        (GLOBAL + b"x: [\n", "mine.yaml"),
        (b"\xef\xbb\xbf" + GLOBAL + b"seed: 3\n", "without a byte order mark (BOM) before it"),
    ],
)
def test_a_file_that_cannot_be_composed_is_one_message(
    here: Here, tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "experiment" / "mine.yaml").write_bytes(content)
    result = here(tmp_path, "--config-dir=conf", "experiment=mine", *QUICK)
    assert result.returncode == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_that_cannot_be_read_is_named(here: Here, tmp_path: Path) -> None:
    (tmp_path / "conf" / "experiment" / "mine.yaml").mkdir(parents=True)
    result = here(tmp_path, "--config-dir=conf", "experiment=mine", *QUICK)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
