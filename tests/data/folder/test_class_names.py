import pytest

from al_lightning.data.folder.class_names import check_names, look_alikes, quoted
from al_lightning.utils.errors import UsageError


def test_names() -> None:
    assert check_names(["cat", 7]) == ("cat", "7")
    assert check_names([" big  cat", "cafe\u0301"]) == ("big cat", "caf\u00e9")
    with pytest.raises(UsageError, match=r"names 'a b' twice"):
        check_names(["a b", "a  b"])
    with pytest.raises(UsageError, match=r"names '\\x1bx', which is no name: .* cannot be shown"):
        check_names(["cat", "\x1bx"])
    for names in (["cat", None], [True, "cat"], ["cat", " "], [["cat"]], [1.5]):
        with pytest.raises(UsageError, match=r"dataset\.classes names .* quote it"):
            check_names(names)
    with pytest.raises(UsageError, match=r"dataset\.classes names '7' twice"):
        check_names([7, "7"])


@pytest.mark.parametrize("given", ["cat,dog", "ab", 7, {"cat": 0, "dog": 1}, True])
def test_what_is_no_list_of_names_is_refused(given: object) -> None:
    with pytest.raises(UsageError, match=r"dataset\.classes=.* is no list: give all names"):
        check_names(given)


def test_names_that_look_alike() -> None:
    names = ["cat", "Dog", "dog", "cat\u200b", "\ufb01sh", "fish", "owl"]
    assert look_alikes(names) == [["cat", "cat\u200b"], ["Dog", "dog"], ["\ufb01sh", "fish"]]
    assert look_alikes(["cat", "dog"]) == []
    assert quoted(["cat", "dog"]) == "'cat', 'dog'"
