import pytest

from al_lightning.run.keys import HYPERPARAMETERS, NO_EFFECT_ON_RESULTS, NOT_IN_FOLDER, is_below


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("recipe", True),
        ("recipe.optimizer.lr", True),
        ("recipes", False),
        ("model", False),
        ("model.filters", True),
        ("strategy", False),
        ("strategy.beta", True),
        ("seed", False),
        ("budget.query", False),
    ],
)
def test_hyperparameters_are_what_a_sweep_would_choose(key: str, expected: bool) -> None:
    assert is_below(key, HYPERPARAMETERS) is expected


def test_whether_predictions_are_kept_makes_no_other_run() -> None:
    assert is_below("predictions", NOT_IN_FOLDER)


def test_what_names_no_folder_has_no_effect_on_results() -> None:
    assert set(NOT_IN_FOLDER) <= set(NO_EFFECT_ON_RESULTS)
