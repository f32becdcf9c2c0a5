from pathlib import Path

import pytest
from omegaconf import OmegaConf

from al_lightning.cli.values import report_rules
from al_lightning.utils.errors import UsageError
from tests.command_line import QUICK, Here


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("save_minutes=[1]", "save_minutes must be in [0, inf), not [1]"),
        ("save_minutes=inf", "save_minutes must be in [0, inf), not inf"),
        ("save_minutes=soon", "save_minutes must be in [0, inf), not 'soon'"),
        ("threads=100000", "threads must be at most 1,024, not 100000"),
        ("threads=100000000000000000000", "threads must be at most 1,024"),
        ("+report.foo=1", "There is no key report.foo"),
    ],
)
def test_a_wrong_value_is_one_message(here: Here, tmp_path: Path, override: str, said: str) -> None:
    given = [argument for argument in QUICK if not argument.startswith("threads")]
    result = here(tmp_path, *given, override)
    assert result.returncode == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_misspelt_rule_of_the_report_is_named() -> None:
    with pytest.raises(UsageError, match=r"no key report\.margn; did you mean margin\?"):
        report_rules(OmegaConf.create({"margn": 1}))
