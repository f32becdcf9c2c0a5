from pathlib import Path

import pytest

from al_lightning.cli.resolvers import canonical


def test_one_folder_is_one_run_however_it_is_spelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    relative = ("imgs", "imgs/", "./imgs", "'imgs'")
    for folder, absolute in ((tmp_path, f"'{tmp_path}/imgs/'"), (Path("/"), "/imgs")):
        monkeypatch.chdir(folder)
        names = {tuple(canonical([f"dataset.path={s}"], "outputs")) for s in (*relative, absolute)}
        assert names == {("dataset.path=imgs",)}


@pytest.mark.parametrize(
    ("spellings", "expected"),
    [
        (["recipe.optimizer.lr=1e-3", "++recipe.optimizer.lr=0.001"], "recipe.optimizer.lr=0.001"),
        (["budget.query=5", "budget.query=+5", "budget.query= 5"], "budget.query=5"),
        (["model.filters=[[4],[4]]", "model.filters=[[4], [4]]"], "model.filters=[[4],[4]]"),
        (["recipe.warm_start=true", "recipe.warm_start=True"], "recipe.warm_start=true"),
        (["recipe.scheduler=null", "recipe.scheduler=Null"], "recipe.scheduler=null"),
        (["strategy@strategy.base=bald"], "strategy@strategy.base=bald"),
        (["~trainer.devices"], "~trainer.devices"),
        (["seed=0,1"], "seed=0,1"),
    ],
)
def test_one_value_has_one_spelling(spellings: list[str], expected: str) -> None:
    assert {tuple(canonical([s], "outputs")) for s in spellings} == {(expected,)}


def test_the_last_of_a_key_counts() -> None:
    assert canonical(["budget.query=5", "budget.query=7"], "outputs") == ["budget.query=7"]


def test_no_folder_is_named_after_a_password() -> None:
    name = canonical(["+dataset.url='https://me:pw@host/x'"], "outputs")
    assert name == ["dataset.url=https://***@host/x"]
