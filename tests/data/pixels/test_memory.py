from pathlib import Path

import pytest
import torch

from al_lightning.data.pixels.memory import available_memory, free_on, usable_cores

MEMINFO = "MemTotal: 9000 kB\nMemFree: 5 kB\nMemAvailable:    4000 kB\n"
STAT = "anon 1\nactive_file 30\ninactive_file 20\n"


@pytest.mark.parametrize(
    ("limit", "used", "expected"),
    [("max", 1000, 4_096_000), ("1000", 400, 650), ("9000000", 0, 4_096_000), ("10", 400, 0)],
)
def test_a_container_may_have_less_than_the_machine(
    tmp_path: Path, limit: str, used: int, expected: int
) -> None:
    (tmp_path / "meminfo").write_text(MEMINFO)
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text(f"{used}\n")
    (tmp_path / "memory.stat").write_text(STAT)  # files that the system may drop are free
    assert available_memory(tmp_path / "meminfo", tmp_path) == expected


def test_without_containers_the_machine_counts(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text(MEMINFO)
    assert available_memory(tmp_path / "meminfo", tmp_path / "nowhere") == 4_096_000


def test_here_there_is_some() -> None:
    assert available_memory() > 0
    assert available_memory(Path("nowhere")) > 0  # as where there is no /proc
    assert usable_cores() >= 1


def test_only_a_gpu_says_what_it_has() -> None:
    assert free_on(torch.device("cpu")) == 0
    assert free_on(torch.device("mps")) == 0
