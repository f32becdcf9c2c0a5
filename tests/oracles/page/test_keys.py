import pytest

from al_lightning.oracles.page.keys import COMMANDS, class_keys
from al_lightning.utils.errors import UsageError


def test_digits_come_first_then_letters_that_no_command_uses() -> None:
    keys = class_keys([f"class {i}" for i in range(12)], {})
    assert keys == [*"123456789", "a", "b", "c"]
    assert not set(keys) & {*COMMANDS}


def test_more_classes_than_keys_have_none() -> None:
    most = 9 + 26 - len(COMMANDS)
    assert class_keys([f"class {i}" for i in range(most)], {}) is not None
    assert class_keys([f"class {i}" for i in range(most + 1)], {}) is None


def test_a_class_that_is_a_digit_or_a_free_letter_is_its_own_key() -> None:
    assert class_keys([str(i) for i in range(10)], {}) == [*"0123456789"]
    assert class_keys(["cat", "1", "b", "B", "n"], {}) == ["2", "1", "b", "3", "4"]
    assert class_keys(["1", "2"], {"2": "1"}) == ["2", "1"]


def test_own_keys_come_before() -> None:
    assert class_keys(["cat", "dog", "owl"], {"dog": "D", "owl": "1"}) == ["2", "d", "1"]


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"cow": "c"}, "'cow', which is none of cat, dog"),
        ({"cat": "cc"}, "one digit or letter"),
        ({"cat": "?"}, "one digit or letter"),
        ({"cat": "n"}, "'n' is new class"),
        ({"cat": "c", "dog": "c"}, "the key of another class"),
    ],
)
def test_own_keys_that_cannot_be_are_refused(own: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        class_keys(["cat", "dog"], own)
