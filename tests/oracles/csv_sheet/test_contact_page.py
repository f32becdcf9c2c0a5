import json
import re

import pytest

from al_lightning.oracles.csv_sheet.contact_page import contact_page

COLUMNS = ("id", "file", "given", "label")
ROWS = [
    {"id": 7, "file": 'a,"b".png', "given": "<b>"},
    {"id": 0, "given": "dog"},
]


def page(template: str = "review.html.j2", **changes: list[str]) -> str:
    arguments = {
        "facts": [{"id": str(row["id"]), "label": str(row["given"]), "file": ""} for row in ROWS],
        "pictures": ["data:,one", "data:,two"],
        "names": ["<b>", "dog"],
        **changes,
    }
    return contact_page(template, "review", COLUMNS, ROWS, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("template", ["review.html.j2", "contact_sheet.html.j2"])
def test_it_saves_the_rows_of_the_sheet(template: str) -> None:
    text = page(template)
    rows = re.findall(r"^  (\[.*\]),$", text, re.M)
    assert [json.loads(row) for row in rows] == [["7", 'a,"b".png', "<b>"], ["0", "", "dog"]]
    assert '["id,file,given,label", ...lines]' in text
    assert '"review.csv"' in text


def test_what_is_known_of_an_image_is_shown_and_no_markup_of_others() -> None:
    text = page()
    assert text.count("<dt>label</dt>") == 2
    assert "<dd>&lt;b&gt;</dd>" in text
    assert "<dt>file</dt>" not in text  # empty
    assert "<b>" not in text
    assert 'src="data:,two" alt="image 0"' in text


def test_a_browser_remembers_what_was_chosen_for_an_image_and_for_no_other() -> None:
    def keys(text: str) -> list[str]:
        (found,) = re.findall(r"^const keys = (\[.*\]);$", text, re.M)
        return list(json.loads(found))

    before = keys(page())
    assert len({*before}) == 2
    assert keys(page(names=["<b>", "cat", "owl"])) == before
    after = keys(page(pictures=["data:,one", "data:,three"]))
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False]
