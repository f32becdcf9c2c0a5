import os
from pathlib import Path

import pytest

from al_lightning.utils.errors import DataError
from al_lightning.utils.names import (
    below_folder,
    check_class_names,
    file_trouble,
    is_utf8,
    normal_name,
    readable_name,
    unprintable,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("cat", "cat"),
        (" cat\t", "cat"),
        ("big  cat", "big cat"),
        ("big\r\ncat", "big cat"),
        ("big\u00a0cat", "big cat"),
        ("cafe\u0301", "caf\u00e9"),
        ("$$", "$$"),
        ("=1+1", "=1+1"),
    ],
)
def test_normal_names(text: str, name: str) -> None:
    assert normal_name(text) == name
    assert normal_name(name) == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (" \t\n", "empty"),
        ("a\x00b", r"character \\x00"),
        ("a\x1bb", r"character \\x1b"),
        ("a\x9b", r"character \\x9b"),
        ("\udce9", "not UTF-8"),
        ("a" * 201, "201 characters"),
    ],
)
def test_what_is_no_name(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        normal_name(text)


def test_classes_must_have_normal_names() -> None:
    check_class_names(["cat", "big cat", "caf\u00e9"])
    with pytest.raises(DataError, match="The class 'big  cat' must be called 'big cat'"):
        check_class_names(["cat", "big  cat"])
    with pytest.raises(DataError, match=r"The class '\\x1b' needs another name"):
        check_class_names(["\x1b"])
    with pytest.raises(DataError, match="The name 'cat' is that of 2 classes"):
        check_class_names(["cat", "dog", "cat"])
    with pytest.raises(DataError, match="The class 0 needs a name, such as '0'"):
        check_class_names((0, 1))  # type: ignore[arg-type]


def test_names_of_files() -> None:
    assert file_trouble("é  b/=1.png") is None
    assert file_trouble("a\r.png") == (
        r"its name has the character \r, which cannot be shown; rename it"
    )
    assert file_trouble("\udce9.png") == "its name is not UTF-8; rename it"
    assert unprintable("a\u2028b") == r"\u2028"


def test_names_for_messages() -> None:
    assert readable_name(Path("cat") / "é.png") == "cat/é.png"
    assert readable_name(Path("a\x1b[2J\n.png")) == r"a\x1b[2J\n.png"
    assert is_utf8("é.png")
    if os.name != "nt":
        broken = Path(os.fsdecode(b"\xff.png"))
        assert readable_name(broken) == r"\xff.png"
        assert not is_utf8(str(broken))


def test_names_below_a_folder_have_slashes_and_others_are_whole() -> None:
    assert below_folder(Path("a/b/c d.png"), Path("a")) == "b/c d.png"
    assert below_folder(Path("/a/b.png"), Path("/")) == "a/b.png"
    assert below_folder(Path("ab/c.png"), Path("a")) == "ab/c.png"
    assert below_folder(Path("c.png"), Path()) == "c.png"
    assert below_folder(Path("/x/c.png"), Path("a")) == "/x/c.png"
