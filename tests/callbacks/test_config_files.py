from pathlib import Path

import pytest

from al_lightning import Budget, JournalError
from al_lightning.callbacks.config_files import ConfigFiles
from tests.loop.test_loop import make_loop


def test_files_are_written_once_the_journal_has_accepted_the_run(tmp_path: Path) -> None:
    def keep(text: str) -> ConfigFiles:
        return ConfigFiles(tmp_path / ".hydra", {"config.yaml": text})

    make_loop(tmp_path, callbacks=[keep("first")]).run()
    with pytest.raises(JournalError):
        make_loop(tmp_path, budget=Budget(9, 5, 21), callbacks=[keep("refused")]).run()
    assert (tmp_path / ".hydra" / "config.yaml").read_text() == "first"
