from typing import Any

import pytest
from omegaconf import OmegaConf

from al_lightning.cli.text_values import with_text_as_text
from al_lightning.utils.errors import UsageError


def made(text: str) -> Any:
    """A configuration as a YAML file gives it, by OmegaConf's own reading of YAML."""
    return OmegaConf.create(text)


FOLDER = "dataset:\n  _target_: al_lightning.data.ImageFolder\n  path: imgs\n  "
CSV = "oracle:\n  _target_: al_lightning.oracles.CsvOracle.for_run\n  _partial_: true\n  "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FOLDER + "classes: [007, 010]", "dataset.classes must be text, but holds 7"),
        (FOLDER + "classes: [a, 0x1F]", "holds 31"),
        (FOLDER + "classes: [12:30, a]", "holds 750"),
        (FOLDER + "classes: [1.10, a]", "holds 1.1"),
        (FOLDER + "classes: [no, yes]", "holds False"),
        (FOLDER + "classes: [~, a]", "holds None"),
        (FOLDER.replace("imgs", "2024"), "dataset.path must be text, but holds 2024"),
        (CSV + "skip_mark: no", "oracle.skip_mark must be text, but holds False"),
    ],
)
def test_text_that_yaml_read_as_something_else_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        with_text_as_text(made(text), [])
    assert "in quotes" in str(caught.value)


def test_quoted_text_and_numbers_where_numbers_belong_are_taken() -> None:
    cfg = made(FOLDER + "classes: ['007', 2024-05-01, b]\n  image_size: 32\n  test_fraction: 0.5")
    assert with_text_as_text(cfg, []) == cfg
    assert cfg.dataset.classes == ["007", "2024-05-01", "b"]


def test_the_command_line_is_taken_as_it_was_typed() -> None:
    cfg = made(FOLDER + "classes: [1000, true, a, 'b,c', null]")
    ready = with_text_as_text(cfg, ["dataset.classes=[1_000, true,a,'b,c',null]"])
    assert ready.dataset.classes == ["1_000", "true", "a", "b,c", "null"]
    cfg = made("oracle:\n  _target_: al_lightning.oracles.CsvOracle.for_run\n  skip_mark: 7")
    assert with_text_as_text(cfg, ["oracle.skip_mark=7"]).oracle.skip_mark == "7"
