import pytest

from al_lightning.utils import torchrun

VARIABLES = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}


@pytest.mark.parametrize(
    ("started_by", "expected"), [({"TORCHELASTIC_RUN_ID": "x"}, (3, 4, 2)), ({}, (0, 1, 1))]
)
def test_the_variables_count_where_torchrun_has_set_them(
    monkeypatch: pytest.MonkeyPatch, started_by: dict[str, str], expected: tuple[int, int, int]
) -> None:
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    for name, value in {**VARIABLES, **started_by}.items():
        monkeypatch.setenv(name, value)
    found = torchrun.rank(), torchrun.world_size(), torchrun.local_world_size()
    assert found == expected
    assert torchrun.by_torchrun() == bool(started_by)


def test_its_own_variable_alone_is_left_over_from_something_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert not torchrun.by_torchrun()
    assert (torchrun.rank(), torchrun.world_size(), torchrun.local_world_size()) == (0, 1, 1)
