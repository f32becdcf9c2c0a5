import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def test_the_configuration_travels_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "conf").rglob("*.yaml"):
        assert f"al_lightning/conf/{path.relative_to(ROOT / 'conf').as_posix()}" in names
    assert "al_lightning/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"al_lightning"}


def test_a_package_index_is_shown_no_broken_link_or_picture(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        about = archive.read(name).decode()
        assert name.replace("METADATA", "licenses/LICENSE") in archive.namelist()
    assert "License-Expression: Apache-2.0" in about
    assert "Description-Content-Type: text/markdown" in about
    links = re.findall(r"\]\(([^)]*)\)", about)
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    assert "and correct labels: labeling." in about  # the text of a link stays


def test_a_wheel_unpacked_elsewhere_finds_its_configuration(wheel: Path, tmp_path: Path) -> None:
    place, empty = tmp_path / "site", tmp_path / "empty"
    zipfile.ZipFile(wheel).extractall(place)
    empty.mkdir()
    code = (
        f"import sys, runpy; sys.path.insert(0, {str(place)!r})\n"
        "import warnings; warnings.simplefilter('error', UserWarning)\n"
        "sys.argv = ['al_lightning', '--cfg', 'job', 'dataset=mnist']\n"
        "sys.argv.append('hydra.searchpath=[pkg://al_lightning.conf]')\n"
        "runpy.run_module('al_lightning', run_name='__main__', alter_sys=True)\n"
        "import al_lightning; print(al_lightning.__file__)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=empty, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "al_lightning.data.MNIST" in result.stdout
    assert str(place) in result.stdout
