import pytest

from al_lightning.utils.spreadsheet import cell, text_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1", "' =1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        ("\t=1", "\\t=1"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\r\nb", "a\\r\\nb"),
        ("a\u2028b", "a\\u2028b"),
        ("cat", "cat"),
        ("", ""),
        ("it's", "it's"),
        ("'quoted'", "'quoted'"),
        ("a=b", "a=b"),
        ("caf\u00e9, 'n\u00ba 1'", "caf\u00e9, 'n\u00ba 1'"),
        ("\udcff.png", "\udcff.png"),
    ],
)
def test_a_cell_is_shown_and_never_run(text: str, shown: str) -> None:
    assert cell(text) == shown


def test_different_texts_stay_different() -> None:
    texts = ["=x", "'=x", "''=x", "x", "'x"]
    assert len({cell(text) for text in texts}) == len(texts)


@pytest.mark.parametrize(
    "text",
    ["=1+1", "-2", " =1", "'=1", "''=1", "\uff1d1", "cat", "", "it's", "'quoted'", "'", "a=b"],
)
def test_a_cell_is_read_as_the_text_that_it_shows(text: str) -> None:
    assert text_of(cell(text)) == text


def test_what_no_cell_was_made_of_stays() -> None:
    assert [text_of(text) for text in ("=1", "-2", "'cat")] == ["=1", "-2", "'cat"]
