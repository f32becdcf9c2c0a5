"""Texts in the cells of tables that a spreadsheet opens."""

import unicodedata

# What spreadsheets take for the beginning of a formula (OWASP, "CSV injection").
_FORMULA = tuple("=+-@＝＋－＠")  # noqa: RUF001 - full width is meant
_UNPRINTABLE = ("Cc", "Zl", "Zp")  # control characters, separators of lines and paragraphs


def cell(text: str) -> str:
    r"""Return a text as a cell that spreadsheets and terminals show, and never run.

    What begins as a formula, apostrophes aside, gets an apostrophe before it, so that different texts
    stay different. A control character, such as the escape character of terminals or a line end,
    becomes ``\x1b`` or ``\n``. Everything else stays as it is. Numbers are no texts: they may begin
    with a minus.
    """
    shown = "".join(
        ascii(c).strip("'") if unicodedata.category(c) in _UNPRINTABLE else c for c in text
    )
    return f"'{shown}" if _is_formula(shown) else shown


def text_of(written: str) -> str:
    """Return the text of a :func:`cell`: without the apostrophe before what begins as a formula.

    >>> text_of(cell("=1+1")), text_of("it's")
    ('=1+1', "it's")
    """
    bare = written.removeprefix("'")
    return bare if _is_formula(bare) else written


def _is_formula(text: str) -> bool:
    return text.lstrip(" '").startswith(_FORMULA)
