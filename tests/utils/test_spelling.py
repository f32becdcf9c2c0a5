import pytest

from al_lightning.utils.names import plain
from al_lightning.utils.spelling import read_class, resolve_name

NAMES = (
    "dog",
    "caf\u00e9",
    "a b",
    "a  b",
    " out ",
    "t\tab",
    "Stra\u00dfe",
    "=sum",
    "+1",
    "'+1",
    "A",
    "a",
)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        *((name, name) for name in NAMES if name != "'+1"),
        (" dog ", "dog"),
        ("Dog", "dog"),
        ("DOG", "dog"),
        ("cafe\u0301", "caf\u00e9"),  # decomposed, as a Mac writes it
        ("CAFE\u0301", "caf\u00e9"),
        ("out", " out "),
        ("t ab", "t\tab"),
        ("t\\tab", "t\tab"),  # as a table shows it
        ("STRASSE", "Stra\u00dfe"),
        ("'=sum", "=sum"),
        ("''+1", "'+1"),
    ],
)
def test_a_name_is_known_in_the_spellings_that_are_clear(written: str, name: str) -> None:
    assert resolve_name(written, NAMES) == name


@pytest.mark.parametrize("written", ["dogs", "", "a   b", "A  B", "'+1", "sum"])
def test_what_could_be_several_or_is_none_is_nothing(written: str) -> None:
    """\'+1 is a name, and what a table shows of the name +1."""
    assert resolve_name(written, NAMES) is None


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("7", "007"),  # a spreadsheet
        ("7.0", "007"),  # pandas, where other cells are empty
        ("10", "10"),
        ("10,00", "10"),
        ("0.0", "0"),
        ("3", None),  # 3 or 03
        ("03", "03"),
        ("7.5", None),
        ("d\u200bog\ufeff", "dog"),  # copied from a web page
    ],
)
def test_numbers_and_invisible_characters_are_read(written: str, name: str | None) -> None:
    names = ("007", "10", "0", "03", "0003", "dog")
    assert resolve_name(written, names) == name


def test_plain_names_have_single_blanks_and_composed_accents() -> None:
    assert plain(" a \t b\u00a0e\u0301 ") == "a b \u00e9"


def test_what_is_no_name_is_refused_with_the_nearest_one() -> None:
    assert read_class("Dog", NAMES) == "dog"
    with pytest.raises(ValueError, match="'dgo' is no class; did you mean dog"):
        read_class(" dgo ", NAMES)
    with pytest.raises(ValueError, match=r"'zebrafish' is no class$"):
        read_class("zebrafish", NAMES)
