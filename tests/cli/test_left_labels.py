from pathlib import Path

import pytest
import torch

from al_lightning import Journal, ManualOracle, UsageError
from al_lightning.cli.left_labels import require_none_left, require_unlabeled_sheet
from al_lightning.oracles import CsvOracle
from al_lightning.oracles.page.oracle import PageOracle
from al_lightning.oracles.page.page_log import Entry, PageLog
from al_lightning.run.questions import IMPORTED
from tests.helpers import CLASSES, TinySource
from tests.run.test_journal import waiting


def test_what_is_filled_in_in_the_open_sheet_is_not_asked_for_again(tmp_path: Path) -> None:
    require_unlabeled_sheet(Journal(tmp_path / "other" / "journal.jsonl"))  # nothing is asked
    journal = waiting(tmp_path / "journal.jsonl", project=True)
    require_unlabeled_sheet(journal)  # there is no sheet
    sheet = tmp_path / "queries" / "round_01.csv"
    sheet.parent.mkdir()
    for content in (b"\0\0", b"id,label\n11,\n2,\n7,dog\n"):  # 7 has its label
        sheet.write_bytes(content)
        require_unlabeled_sheet(journal)
    sheet.write_text("id,label\n11,dog\n2,skip\n5,\n")
    with pytest.raises(UsageError, match=r"2 of the images .*round_01\.csv.* with oracle=csv"):
        require_unlabeled_sheet(journal)
    one, label = torch.tensor([2]), torch.tensor([0])
    journal.record_labels(1, one, label, IMPORTED, by="Ada")
    with pytest.raises(UsageError, match="1 of the images"):
        require_unlabeled_sheet(journal)


def test_another_oracle_is_told_of_labels_of_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal, data = waiting(tmp_path / "journal.jsonl", project=True), TinySource().load()
    queries = tmp_path / "queries"
    oracles = PageOracle(data, queries), CsvOracle(data, queries), ManualOracle()
    for oracle in oracles:
        require_none_left(journal, oracle)
    PageLog(queries / "page.jsonl").append([Entry(11, "label", CLASSES[0], "Ada", 12.5)])
    (queries / "round_01.csv").write_text("id,label\n2,skip\n")
    assert not capsys.readouterr().err
    require_none_left(journal, oracles[1])
    assert "1 label that was given on the page" in capsys.readouterr().err
    for oracle in (oracles[0], oracles[2]):
        with pytest.raises(UsageError, match="1 of the images"):
            require_none_left(journal, oracle)
    (queries / "round_01.csv").unlink()
    require_none_left(journal, oracles[0])
    assert not capsys.readouterr().err
