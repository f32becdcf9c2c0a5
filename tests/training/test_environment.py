import pytest

from al_lightning.training.environment import require_neutral_environment
from al_lightning.utils.errors import UsageError

STEP = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}

TORCHRUN = {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_WORLD_SIZE": "2"}


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4"},  # salloc's shell: one process
        {"SLURM_NTASKS": "4", "SLURM_PROCID": "0", "ENVIRONMENT": "BATCH"},  # a batch script
        {**STEP, "SLURM_NTASKS": "1"},  # what submitit starts
        {
            **STEP,
            "SLURM_NTASKS": "4",
            "SLURM_STEP_NUM_TASKS": "1",
        },  # srun --ntasks=1 in a larger job
        {"WORLD_SIZE": "8"},  # stray: nobody says which of them this is
        {"WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0"},
        {"TORCHELASTIC_RUN_ID": "x", **TORCHRUN, "SLURM_PROCID": "1"},
        {"TORCHELASTIC_RUN_ID": "none"},  # stray, too
        {"PL_TRAINER_DEVICES": ""},  # Lightning takes an empty one for none
        {"PL_GLOBAL_SEED": "3", "PL_TRAINER_NOTHING": "1"},
    ],
)
def test_what_changes_nothing_is_let_through(variables: dict[str, str]) -> None:
    require_neutral_environment(variables)


@pytest.mark.parametrize(
    "name",
    [
        "PL_TRAINER_LIMIT_TRAIN_BATCHES",
        "PL_TRAINER_DEVICES",
        "PL_MYTRAINER_ACCUMULATE_GRAD_BATCHES",
    ],
)
def test_arguments_of_the_trainer_are_refused_by_name(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name}=0 .* unset it"):
        require_neutral_environment({name: "0"})


@pytest.mark.parametrize(
    "variables",
    [
        {"SLURM_NTASKS": "2", "SLURM_PROCID": "0"},
        {"SLURM_NTASKS": "2", "SLURM_PROCID": "1"},
        {**STEP, "SLURM_STEP_NUM_TASKS": "2", "ENVIRONMENT": "BATCH"},
    ],
)
def test_several_tasks_are_refused_in_one_line_with_the_command(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    monkeypatch.setattr("sys.orig_argv", ["python", "-m", "al_lightning", "dataset.path=a b"])
    command = "srun --ntasks=1 --cpus-per-task=2 python -m al_lightning 'dataset.path=a b'"
    with pytest.raises(UsageError, match="started 2 tasks") as caught:
        require_neutral_environment(variables)
    assert str(caught.value).endswith(command)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("launcher", "variables"),
    [
        ("something other than torchrun", {"WORLD_SIZE": "2", "RANK": "0"}),
        ("something other than torchrun", {"LOCAL_RANK": "1"}),
        ("mpirun", {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1"}),
        ("mpiexec", {"PMI_SIZE": "2", "PMI_RANK": "0"}),
        ("jsrun", {"JSM_NAMESPACE_SIZE": "3", "JSM_NAMESPACE_RANK": "2"}),
    ],
)
def test_one_of_several_processes_is_no_run(launcher: str, variables: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=f"several that {launcher} has started"):
        require_neutral_environment(variables)
