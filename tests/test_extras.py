import pytest

from tests.extras import VARIABLE

TESTS = """
import pytest

def test_of_an_extra():
    pytest.importorskip("no_such_extra")

def test_of_a_system():
    pytest.skip("elsewhere")

@pytest.fixture
def extra():
    return pytest.importorskip("no_such_extra")

def test_of_its_fixture(extra):
    pass
"""


@pytest.mark.parametrize(
    ("value", "outcomes"), [("1", {"skipped": 1, "failed": 1, "errors": 1}), ("", {"skipped": 3})]
)
def test_where_extras_are_required_none_is_missed(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    value: str,
    outcomes: dict[str, int],
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_inprocess("-p", "tests.extras", "-p", "no:xdist")
    assert result.parseoutcomes() == outcomes
    if value:
        result.stdout.fnmatch_lines(["*could not import 'no_such_extra'*lets no test be skipped*"])
