from pathlib import Path
from typing import Any

import pytest

from al_lightning.utils.memory import available_bytes, memory_limit, parse_bytes

MEMINFO = "MemTotal:  4000 kB\nMemFree:  1000 kB\nMemAvailable:  3000 kB\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, 1),
        (4_000_000_000, 4_000_000_000),
        (4e9, 4_000_000_000),
        (1e20, 10**20),
        ("4GB", 4_000_000_000),
        ("4 gb", 4_000_000_000),
        ("4G", 4_000_000_000),
        ("1.5GiB", 3 * 2**29),
        ("512MiB", 2**29),
        ("20kB", 20_000),
        ("2TB", 2 * 10**12),
        ("17", 17),
        ("17B", 17),
    ],
)
def test_sizes_are_numbers_or_texts(size: float | str, expected: int) -> None:
    assert parse_bytes(size) == expected


@pytest.mark.parametrize(
    "size",
    ["", "GB", "4XB", "-4GB", "many", True, None, "0", 0, -3, "nan", "4..GB", "9e999GB", 1e999],
)
def test_what_is_no_size_is_an_error(size: Any) -> None:
    with pytest.raises(ValueError, match=r"no size such as 4GB|less than a byte|could not convert"):
        parse_bytes(size)


def test_auto_is_what_is_available() -> None:
    assert memory_limit("3MB") == 3_000_000
    found = memory_limit("auto")
    assert found is not None
    assert found > 10**6


def test_a_machine_without_groups_has_what_it_says_is_available(tmp_path: Path) -> None:
    assert available_bytes(write(tmp_path, {"proc/meminfo": MEMINFO})) == 3000 * 1024


@pytest.mark.parametrize(
    ("own", "above", "expected"),
    [
        ("max", "max", 3000 * 1024),
        ("1000000", "max", 1_000_000 - 400_000 + 50_000),
        ("max", "900000", 900_000 - 400_000 + 50_000),
        ("1000000", "900000", 550_000),
        ("300000", "max", 0),
    ],
)
def test_every_group_above_a_process_bounds_it(
    tmp_path: Path, own: str, above: str, expected: int
) -> None:
    files = {"proc/meminfo": MEMINFO, "proc/self/cgroup": "0::/jobs/mine\n"}
    for group, limit in (("jobs/mine", own), ("jobs", above)):
        files[f"sys/fs/cgroup/{group}/memory.max"] = f"{limit}\n"
        files[f"sys/fs/cgroup/{group}/memory.current"] = "400000\n"
        files[f"sys/fs/cgroup/{group}/memory.stat"] = "active_file 7\ninactive_file 50000\n"
    assert available_bytes(write(tmp_path, files)) == expected


def test_groups_of_the_first_version_count_too(tmp_path: Path) -> None:
    folder = "sys/fs/cgroup/memory"  # what a container sees: its own group, and not by its path
    files = {
        "proc/meminfo": MEMINFO,
        "proc/self/cgroup": "9:cpu:/docker/x\n4:memory:/docker/x\n",
        f"{folder}/memory.limit_in_bytes": "1000000\n",
        f"{folder}/memory.usage_in_bytes": "400000\n",
        f"{folder}/memory.stat": "inactive_file 1\ntotal_inactive_file 50000\n",
    }
    assert available_bytes(write(tmp_path, files)) == 650_000
