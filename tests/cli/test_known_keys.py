from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from al_lightning.cli.known_keys import require_known_keys
from al_lightning.utils.errors import UsageError
from tests.command_line import CONF


def require(folder: Path, experiment: str, *overrides: str) -> None:
    (folder / "experiment").mkdir()
    (folder / "experiment" / "mine.yaml").write_text(experiment)
    path = f"hydra.searchpath=['file://{folder}']"
    with initialize_config_dir(str(CONF), version_base="1.3"):
        require_known_keys(compose("config", [path, "experiment=mine", *overrides]))


def test_an_experiment_beside_the_configuration_is_refused(tmp_path: Path) -> None:
    message = r"keys of the experiment \(seed, threads\) count for nothing: .*'# @package _global_'"
    with pytest.raises(UsageError, match=message):
        require(tmp_path, "seed: 5\nthreads: 1\n")


@pytest.mark.parametrize(
    ("key", "hint"), [("sead", "; did you mean seed?"), ("zzz", ""), ("output_rot", "output_root?")]
)
def test_a_key_that_nothing_reads_is_refused(tmp_path: Path, key: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"There is no key {key}, and nothing reads it") as caught:
        require(tmp_path, f"# @package _global_\n{key}: 5\n")
    assert str(caught.value).endswith(hint)


def test_known_keys_and_those_that_others_refer_to_are_taken(tmp_path: Path) -> None:
    own = "# @package _global_\nmy_seed: 3\nn: 4\nseed: ${my_seed}\nrecipe:\n  epochs: ${oc.select:n}\n"
    require(tmp_path, own, "strategy=passive", "logger=csv", "oracle=page", "project=null")
