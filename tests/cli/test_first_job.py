from pathlib import Path

from al_lightning.cli.first_job import first_job


def test_of_what_is_swept_the_first_value_counts() -> None:
    arguments = ["-m", "model=cnn,resnet18", "seed=range(3,5)", "+recipe.x=[1,2]", "~recipe.y"]
    assert first_job(arguments) == ["model=cnn", "seed=3", "+recipe.x=[1,2]", "~recipe.y"]


def test_what_a_search_draws_has_no_first_value() -> None:
    assert first_job(["recipe.optimizer.lr=interval(0.1, 1)", "seed=1"]) == ["seed=1"]


def test_flags_are_left_out_but_folders_of_configurations() -> None:
    place = f"hydra.searchpath=['file://{Path('mine').absolute()}']"
    for flags in (["--config-dir", "mine"], ["-cd", "mine"], ["--config-dir=mine"]):
        assert first_job(["--cfg", "job", *flags, "seed=1"]) == [place, "seed=1"]
