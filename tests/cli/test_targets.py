from collections.abc import Sequence
from pathlib import Path
from types import NoneType
from typing import Any

from al_lightning.cli.targets import hints, nodes, parameters


class Parent:
    def __init__(self, mode: str = "a", frozen: bool = True) -> None: ...


class Child(Parent):
    def __init__(self, place: Path | None, sizes: Sequence[int] = (), **options: Any) -> None:
        super().__init__(**options)


class Closed(Child):
    def __init__(self, size: int = None) -> None:  # type: ignore[assignment] # noqa: RUF013
        super().__init__(None)


def test_what_is_handed_on_to_a_parent_is_known_and_a_path_is_text() -> None:
    assert hints(f"{__name__}.Child") == {
        "place": {str, NoneType},
        "sizes": {Sequence[int]},
        "mode": {str},
        "frozen": {bool},
    }


def test_what_is_not_handed_on_is_not_known_and_a_default_of_none_may_be_given() -> None:
    assert hints(f"{__name__}.Closed") == {"size": {int, NoneType}}


def test_all_that_a_target_takes_is_known_where_it_takes_no_others() -> None:
    taken = parameters(f"{__name__}.Child")
    assert taken is not None
    assert taken >= {"place", "sizes", "mode", "frozen"}
    assert "mode" not in (parameters(f"{__name__}.Closed") or {})
    assert parameters("builtins.dict") is parameters("logging.basicConfig") is None
    assert parameters("al_lightning.data.Nothing") is None


def test_of_what_is_not_there_nothing_is_known() -> None:
    assert hints("al_lightning.data.Nothing") == hints("builtins.print") == {}


def test_nodes_are_found_at_any_depth() -> None:
    config = {"a": {"_target_": "x", "b": {"_target_": "y"}}, "c": {"d": {"_target_": "z"}}, "e": 1}
    assert [(prefix, node["_target_"]) for prefix, node in nodes(config)] == [
        ("a.", "x"),
        ("a.b.", "y"),
        ("c.d.", "z"),
    ]
