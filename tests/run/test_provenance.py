import importlib
import json
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from al_lightning.run import provenance
from al_lightning.run.provenance import (
    code_digest,
    config_hash,
    describe,
    differing_keys,
    hardware,
    reproducible,
    versions,
)
from al_lightning.strategies import Cosine, Entropy, Euclidean, FarthestFirst, Margin

CONFIG: dict[str, Any] = {
    "seed": 0,
    "recipe": {"epochs": 10, "optimizer": {"lr": 0.1}},
    "filters": [32, 64],
}


def test_hash_does_not_depend_on_the_order_of_keys() -> None:
    turned = {
        "filters": [32, 64],
        "recipe": {"optimizer": {"lr": 0.1}, "epochs": 10},
        "seed": 0,
    }
    assert config_hash(turned) == config_hash(CONFIG)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"seed": None},
        {"filters": [64, 32]},
        {"recipe": {"epochs": 10, "optimizer": {"lr": 0.2}}},
        {"extra": 0},
    ],
)
def test_hash_depends_on_every_value(change: dict[str, Any]) -> None:
    assert config_hash({**CONFIG, **change}) != config_hash(CONFIG)


def test_hash_stays_what_it_was() -> None:  # else no journal could be gone on with
    config = {"b": [1, 2.5, None], "a": {"x": True, "y": "ä"}}
    assert config_hash(config) == "666dc8b6ad2bc5bc"


def test_hash_of_nan_is_an_error() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        config_hash({"lr": float("nan")})


def test_differing_keys_are_named_with_both_values() -> None:
    other = {"seed": 3, "recipe": {"epochs": 10, "optimizer": {"lr": 0.2}}, "filters": [32]}
    assert differing_keys(CONFIG, other) == [
        "filters: [32, 64] -> [32]",
        "recipe.optimizer.lr: 0.1 -> 0.2",
        "seed: 0 -> 3",
    ]


def test_keys_that_one_of_both_lacks_differ() -> None:
    assert differing_keys({"a": {"b": 1}}, {"c": 2}) == [
        "a.b: 1 -> (absent)",
        "c: (absent) -> 2",
    ]
    assert differing_keys({"a": {}}, {"a": {"b": 1}}) == ["a: {} -> (absent)", "a.b: (absent) -> 1"]


def test_equal_configurations_do_not_differ() -> None:
    assert differing_keys(CONFIG, json.loads(json.dumps(CONFIG))) == []
    assert differing_keys({}, {}) == []


def test_versions_are_those_that_run() -> None:
    found = versions()
    assert found["python"] == platform.python_version()
    assert torch.__version__.startswith(found["torch"].split("+", maxsplit=1)[0])
    assert {"al-lightning", "torchvision", "lightning", "torchmetrics", "numpy"} <= found.keys()


def test_a_package_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "al-lightning":
            raise PackageNotFoundError(name)
        return "1.2"

    monkeypatch.setattr(provenance, "version", version)
    assert versions()["al-lightning"] == "not installed"
    assert versions()["torch"] == "1.2"


def test_hardware_goes_into_a_journal() -> None:
    found = hardware()
    assert json.loads(json.dumps(found)) == found
    assert found["threads"] == torch.get_num_threads()
    assert found["machine"] == platform.machine()


# Torch is left out: what a process without it holds is small, and what it takes is clear to see.
MEASURE = """
import re, subprocess, sys, types
from pathlib import Path

sys.modules["torch"] = types.ModuleType("torch")
from al_lightning.run import provenance

def peak():
    return provenance.peak_rss_bytes()

found = [peak()]
if len(sys.argv) > 1:
    ballast = bytearray(b"x") * int(sys.argv[1])
    found.append(peak())
    del ballast
    found.append(peak())
    status = Path("/proc/self/status").read_text()
    found.append(1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]))
    # A process begins with the ru_maxrss of the one that started it.
    output = subprocess.run([sys.executable, __file__], capture_output=True, check=True).stdout
    found += map(int, output.split())
print(*found)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_peak_memory_is_the_most_that_this_process_has_held(tmp_path: Path) -> None:
    script, ballast, near = tmp_path / "measure.py", 2**28, 2**25
    script.write_text(MEASURE)
    command = [sys.executable, str(script), str(ballast)]
    output = subprocess.run(command, capture_output=True, check=True).stdout
    before, during, after, kernel, child = map(int, output.split())
    assert during - before == pytest.approx(ballast, abs=near)
    assert after == pytest.approx(during, abs=near)  # it never falls
    assert kernel == pytest.approx(during, abs=near)
    assert child == pytest.approx(before, abs=near)  # not its parent's


def test_a_description_tells_strategies_apart() -> None:
    things = [Margin(), Entropy(), FarthestFirst(Euclidean()), FarthestFirst(Cosine())]
    described = [describe(thing) for thing in things]
    margin = {"type": "al_lightning.strategies.uncertainty.Margin", "pool_subset": None}
    assert described[0] == margin
    assert all(json.loads(json.dumps(one)) == one for one in described)
    assert len({json.dumps(one) for one in described}) == len(things)


def test_the_digest_of_the_code_follows_the_classes_of_a_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "own_network.py"
    source.write_text("from torch import nn\nclass Own(nn.Module):\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    own = importlib.import_module("own_network").Own()
    before = code_digest(nn.Sequential(own))
    assert before != code_digest(nn.Sequential())
    assert before == code_digest(nn.Sequential(own, nn.ReLU()))
    source.write_text("from torch import nn\nclass Own(nn.Module):\n    depth = 2\n")
    assert before != code_digest(nn.Sequential(own))


def test_what_is_reproducible_is_said_with_its_conditions() -> None:
    assert reproducible({"device": "cpu"})["bitwise"] is True
    assert reproducible({"device": "cuda"})["bitwise"] is False
    assert "hardware.threads" in reproducible({"device": "cpu"})["given"]
    several = reproducible({"device": "cpu", "devices": "2"})
    assert several["given"] == [*reproducible({"device": "cpu"})["given"], "trainer.devices"]


def test_variables_that_change_the_arithmetic_are_part_of_the_hardware(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", raising=False)
    assert "arithmetic" not in hardware()
    monkeypatch.setenv("ONEDNN_DEFAULT_FPMATH_MODE", "BF16")
    assert hardware()["arithmetic"] == {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16"}
