import pytest

from al_lightning.training.cluster import OwnProcesses


def test_there_are_as_many_processes_as_devices_unless_it_is_said() -> None:
    one = OwnProcesses()
    assert (one.world_size(), one.global_rank(), one.local_rank(), one.node_rank()) == (1, 0, 0, 0)
    one.set_world_size(2)
    assert one.world_size() == 2
    second = OwnProcesses(1, 3)
    second.set_world_size(2)
    assert (second.world_size(), second.global_rank()) == (3, 1)


def test_a_scheduler_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOCAL_RANK", "NODE_RANK", "SLURM_PROCID", "WORLD_SIZE"):
        monkeypatch.setenv(name, "3")
    one = OwnProcesses()
    assert (one.world_size(), one.global_rank(), one.local_rank(), one.node_rank()) == (1, 0, 0, 0)
