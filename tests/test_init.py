import subprocess
import sys

import pytest

import al_lightning


def test_every_public_name_can_be_imported() -> None:
    for name in al_lightning.__all__:
        assert getattr(al_lightning, name) is not None
    assert set(al_lightning.__all__) == set(al_lightning._HOMES)
    assert dir(al_lightning) == sorted(al_lightning.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = al_lightning.Nothing


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, al_lightning; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
