from pathlib import Path

import pytest

from tests.command_line import QUICK, Here


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["seed=0", "hydra.sweeper.max_batch_size=0"], "hydra.sweeper.max_batch_size"),
        (["strategy=glob(zz*)"], "strategy=glob(zz*) matches nothing"),
        (["experiment=passive,compare"], "compare is a sweep itself"),
        (["recipe.batch_size=16,32"], "Add validation labels"),
        (["seed=0,1", "report.looks=few"], "report.looks"),
        (["seed=0,1", "hydra.sweeper=optuna"], "write hydra/sweeper=optuna"),
        (
            ["seed=0,1", "hydra/launcher=joblib", "hydra.launcher.n_jobs=0"],
            "Error: hydra.launcher.n_jobs must not be 0: -1 runs a job on each core\n",
        ),
    ],
)
def test_a_sweep_that_cannot_be_is_one_message(
    here: Here, tmp_path: Path, arguments: list[str], said: str
) -> None:
    result = here(tmp_path, "-m", *QUICK, *arguments)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "outputs").exists()
