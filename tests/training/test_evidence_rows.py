from pathlib import Path

import pytest
import torch

from al_lightning.strategies.evidence import Need
from al_lightning.training.evidence_rows import EvidenceRows
from al_lightning.utils.spill import Spill

VALUES = torch.arange(21.0).view(7, 3)
SAMPLES = torch.arange(84.0).view(7, 4, 3)


def write(rows: EvidenceRows, first: int, count: int) -> None:
    batch = slice(first, first + count)
    found = {Need.PROBABILITIES: VALUES[batch], Need.MC_PROBABILITIES: SAMPLES[batch]}
    rows.write(first, found)


def test_rows_may_be_written_in_any_order() -> None:
    rows = EvidenceRows(7)
    for first, count in ((3, 3), (6, 1), (0, 3)):
        write(rows, first, count)
    found = rows.collect()
    assert found.keys() == {Need.PROBABILITIES, Need.MC_PROBABILITIES}
    assert torch.equal(found[Need.PROBABILITIES], VALUES)
    assert torch.equal(found[Need.MC_PROBABILITIES], SAMPLES)


@pytest.mark.parametrize(("second", "wrong"), [(4, r"1 of 7 .*: \[3\]"), (2, r"2 .*: \[2, 6\]")])
def test_a_row_that_is_missing_or_was_written_twice_is_an_error(second: int, wrong: str) -> None:
    rows = EvidenceRows(7)
    write(rows, 0, 3)
    write(rows, second, 3 if second == 4 else 4)
    with pytest.raises(RuntimeError, match=wrong):
        rows.collect()


def test_embeddings_that_do_not_fit_in_memory_are_on_the_disk(tmp_path: Path) -> None:
    for limit, dtype in ((2 * 7 * 3 * 4, torch.float32), (2 * 7 * 3 * 4 - 1, torch.float16)):
        rows = EvidenceRows(7, Spill(tmp_path, limit))
        with torch.inference_mode():
            for first in (4, 0):
                part = VALUES[first : first + 4]
                rows.write(first, {Need.EMBEDDINGS: part, Need.PROBABILITIES: part})
        found = rows.collect()
        assert found[Need.EMBEDDINGS].dtype == dtype
        assert torch.equal(found[Need.EMBEDDINGS].float(), VALUES)
        assert found[Need.PROBABILITIES].dtype == torch.float32


def test_evidence_is_float32_and_inference_tensors_do_not_come_out() -> None:
    rows = EvidenceRows(2)
    with torch.inference_mode():
        rows.write(0, {Need.EMBEDDINGS: torch.ones(2, 3, dtype=torch.bfloat16)})
    embeddings = rows.collect()[Need.EMBEDDINGS]
    assert embeddings.dtype == torch.float32
    assert not embeddings.is_inference()


def test_a_pass_that_wrote_nothing_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="None of 7 rows"):
        EvidenceRows(7).collect()


def test_needs_may_be_written_one_after_the_other() -> None:
    rows = EvidenceRows(7)
    rows.write(0, {Need.EMBEDDINGS: VALUES})
    rows.write(0, {Need.PROBABILITIES: VALUES[:6]})
    with pytest.raises(RuntimeError, match=r"1 of 7 .*: \[6\]"):
        rows.collect()
    rows.write(6, {Need.PROBABILITIES: VALUES[6:]})
    assert rows.collect().keys() == {Need.EMBEDDINGS, Need.PROBABILITIES}
