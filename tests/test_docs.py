"""The pages of the documentation site: `make docs` builds them, and checks links and examples."""

import doctest
import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.tables import TABLES, cells, with_tables
from tests.test_doctests import PUBLIC

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def api_names() -> set[str]:
    """What docs/api.md shows: the names of each module, without those that it leaves out."""
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    names: set[str] = set()
    for module, left_out in re.findall(
        r"^\.\. automodule:: (\S+)\n(?:   :exclude-members: (.*)\n)?", page, re.M
    ):
        names |= {*import_module(module).__all__} - {*left_out.split(", ")}
    return names


def test_every_public_name_is_on_the_page_of_names() -> None:
    public = {name for module in PUBLIC for name in import_module(module).__all__}
    assert api_names() == public


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_a_page_is_on_the_site_and_has_unbroken_tables(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = page.stem if page.parent == DOCS else f"{page.parent.name}/*"
    assert page.stem == "index" or f"\n{listed}\n" in index
    plain = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for table in re.findall(r"(?:^\|.*\n)+", plain, re.M):
        header, line, *_ = table.splitlines()
        assert re.fullmatch(r"\|( ?:?-+:? ?\|)+", line), f"{page.name}: no header above {header}"
        columns = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(columns) == 1, f"{page.name}: rows of different length below {header}"


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_the_sessions_on_a_page_run(page: Path) -> None:
    for block in re.findall(r"^```python\n(>>> .*?)^```", page.read_text("utf-8"), re.M | re.S):
        test = doctest.DocTestParser().get_doctest(block, {}, page.name, None, 0)
        said: list[str] = []
        failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
        assert not failed, "".join(said)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_tables_are_made_from_the_raw_results(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert with_tables(text) == text, "python -m benchmarks.tables makes it anew"


def test_every_table_of_raw_results_is_in_the_docs_once() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))
    assert sorted(re.findall("<!-- table: (.*?) -->", text)) == sorted(TABLES)


def test_a_table_is_that_of_its_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand, from recipe_by_hand.json and tune_recipe.json."""
    rows = {row[0]: row[1:] for row in TABLES["recipe_by_hand"]()}
    assert rows["AdamW, all steps"] == [".869", ".464", ".916", ".291", "80, 134"]
    assert rows["weight decay .3"] == ["", "", ".913", ".298", "67"]
    rows = {row[0]: row[1:] for row in TABLES["recipe_now"]()}
    assert rows["5,000"][2:] == ["2,528, both", ".915 - .908"]
    made = with_tables("a\n<!-- table: review -->\nold\n<!-- /table -->\nb")
    assert made.startswith("a\n<!-- table: review -->\n\n| data set |")
    assert made.endswith("| 25 | 25 |\n\n<!-- /table -->\nb")
    assert with_tables(made) == made
    pending = "<!-- table: whole_run -->\nas it was\n<!-- /table -->"
    monkeypatch.setattr(cells, "RESULTS", tmp_path)  # no raw results yet
    assert with_tables(pending) == pending
    with pytest.raises(KeyError):
        with_tables("<!-- table: unknown -->\n<!-- /table -->")


def test_tables_of_times_are_medians_and_ratios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "RESULTS", tmp_path)
    times = {"al_lightning": [10.0, 20, 40], "hand_bf16": [20.0, 30, 40]}
    times |= {"hand_float32": times["al_lightning"], "baal": times["al_lightning"]}
    run = {"seconds": times, "cpu": times, "accuracy": {name: [0.85, 0.86] for name in times}}
    growth = {
        str(n): {"seconds": n**2 / 1e6, "extra": 2**20, "evidence": 2**21}
        for n in (100, 1_000, 10_000)
    }
    for name, results in {"whole_run": run, "selection_scaling": {"a": growth}}.items():
        text = json.dumps({"commit": "abc", "results": results})
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    rows = {row[0]: row[1:] for row in TABLES["whole_run"]()}
    assert rows["al_lightning"] == ["20.0", "1", "20.0", "1", ".855"]
    assert rows["hand-written, bf16, channels last"][:2] == ["30.0", "1.50"]
    (_, row) = TABLES["selection_scaling"]()
    assert row == ["a", "0.01 s", "1 s", "100 s", "2.00", "1 MiB (0.50 x the evidence)", "0.00"]
