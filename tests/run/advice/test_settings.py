from typing import Any

import pytest

from al_lightning.run.advice.settings import AdviceSettings
from al_lightning.utils.errors import UsageError


def test_settings_are_what_was_recorded() -> None:
    config = {"_target_": "somewhere", "images": 10, "kappa": 0.9, "target": None}
    assert AdviceSettings.of(config) == AdviceSettings(images=10, kappa=0.9)


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"images": -1}, "images"),
        ({"images": "all"}, "images"),
        ({"kappa": 0.0}, "kappa"),
        ({"kappa": 1.5}, "kappa"),
        ({"target": 95}, "target"),
        ({"target": 1.0}, "target"),
    ],
)
def test_wrong_values_are_refused_by_key(wrong: dict[str, Any], key: str) -> None:
    with pytest.raises(UsageError, match=rf"advice\.{key} must be"):
        AdviceSettings(**wrong)
