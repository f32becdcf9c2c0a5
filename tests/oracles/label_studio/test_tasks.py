from typing import Any

import pytest

from al_lightning.oracles.label_studio.tasks import read_annotation


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (
            {"created_username": "Ada Lovelace ada@example.com, 3", "completed_by": 3},
            "Ada Lovelace",
        ),
        ({"created_username": " ada@example.com, 3", "completed_by": 3}, "ada@example.com"),
        ({"completed_by": {"first_name": "Ada", "last_name": "", "email": "a@b.c"}}, "Ada"),
        ({"completed_by": {"first_name": "", "last_name": "", "email": "a@b.c"}}, "a@b.c"),
        ({"completed_by": 3, "created_username": None}, ""),
        ({}, ""),
    ],
)
def test_the_annotator_is_named_by_whatever_the_server_tells(
    given: dict[str, Any], name: str
) -> None:
    assert read_annotation(given).by == name
