from pathlib import Path
from typing import Any

import pytest

from al_lightning.inference.recorded_places import resolved
from al_lightning.utils.errors import UsageError

CONFIG: dict[str, Any] = {
    "data_root": "${oc.env:AL_LIGHTNING_TEST_DATA,data}",
    "names": {"dataset": "pets", "nothing": None},
    "loop": "${loop}",
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pets", "pets"),
        ("${data_root}/pets", "data/pets"),
        ("${data_root}/${names.dataset}", "data/pets"),
        ("${oc.env:AL_LIGHTNING_TEST_DATA, here}", "here"),
        ("~/pets", str(Path("~/pets").expanduser())),
    ],
)
def test_a_place_is_what_was_meant(text: str, found: str) -> None:
    node = {"root": text, "many": [text, 3], "size": 8, "flag": None}
    wanted = {"root": found, "many": [found, 3], "size": 8, "flag": None}
    assert resolved(node, CONFIG, "dataset") == wanted


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AL_LIGHTNING_TEST_DATA", "/elsewhere")
    assert resolved({"root": "${data_root}"}, CONFIG, "dataset") == {"root": "/elsewhere"}


@pytest.mark.parametrize(
    "text",
    ["${oc.env:AL_LIGHTNING_TEST_DATA}", "${nowhere}", "${names.nothing}", "${loop}", "${a:b}"],
)
def test_what_leads_nowhere_is_named(text: str) -> None:
    with pytest.raises(UsageError, match=r"dataset\.root was recorded as .* leads nowhere here"):
        resolved({"root": text}, CONFIG, "dataset")
