"""The pages of the documentation site: `make docs` builds them, and checks links and examples."""

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.test_doctests import PUBLIC

DOCS = Path(__file__).parents[1] / "docs"


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


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_a_page_is_on_the_site_and_has_unbroken_tables(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    assert page.stem == "index" or f"\n{page.stem}\n" in index
    plain = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for table in re.findall(r"(?:^\|.*\n)+", plain, re.M):
        header, line, *_ = table.splitlines()
        assert re.fullmatch(r"\|( -+ \|)+", line), f"{page.name}: no header above {header}"
        columns = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(columns) == 1, f"{page.name}: rows of different length below {header}"


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_the_sessions_on_a_page_run(page: Path) -> None:
    for block in re.findall(r"^```python\n(>>> .*?)^```", page.read_text("utf-8"), re.M | re.S):
        test = doctest.DocTestParser().get_doctest(block, {}, page.name, None, 0)
        said: list[str] = []
        failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
        assert not failed, "".join(said)
