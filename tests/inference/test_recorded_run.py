from pathlib import Path
from typing import Any

import pytest
import torch

from al_lightning import ActiveLearningLoop, Journal, UsageError, load_trained, out_of_fold
from al_lightning.inference.recorded_run import load_recorded
from al_lightning.strategies.evidence import Need
from tests.inference.recorded_runs import CONFIG, run_on_files, run_recorded
from tests.inference.trained_runs import save_image, write_trained


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> ActiveLearningLoop:
    return run_recorded(tmp_path_factory.mktemp("outputs") / "a")


def test_the_last_weights_see_the_images_of_the_run(loop: ActiveLearningLoop) -> None:
    recorded = load_recorded(loop.journal)
    run = load_trained(loop.journal.path.parent)
    fitted = recorded.fitted(run)
    ids = recorded.pool.unlabeled_ids[:50]
    assert fitted.datamodule.normalization == run.normalization
    own = loop.learner.fit(1, loop.journal.pool_in).evidence(ids, {Need.PROBABILITIES})
    assert fitted.probabilities(ids).equal(own.require(Need.PROBABILITIES))


def test_its_learner_trains_as_that_of_the_run(loop: ActiveLearningLoop) -> None:
    recorded = load_recorded(loop.journal)
    pool = loop.journal.pool
    mine = out_of_fold(recorded.learner, pool, index=1, folds=2)
    own = out_of_fold(loop.learner, pool, index=1, folds=2)
    assert mine.fold_of.equal(own.fold_of)
    assert mine.logits.equal(own.logits)


def test_one_device_is_used_however_many_the_run_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = run_recorded(tmp_path).journal
    trainer = {**CONFIG["trainer"], "devices": 4, "num_nodes": 2, "strategy": "ddp"}
    trainer["accelerator"] = "tpu"  # which is not here
    monkeypatch.setitem(journal.config, "trainer", trainer)
    recorded = load_recorded(journal)
    assert out_of_fold(recorded.learner, recorded.pool, folds=2).logits.shape == (40, 10)


def test_a_run_without_a_configuration_is_refused(tmp_path: Path) -> None:
    write_trained(tmp_path)
    with pytest.raises(UsageError, match=r"no config\.dataset.*al_lightning\.out_of_fold"):
        load_recorded(Journal(tmp_path / "journal.jsonl"))


def test_other_images_and_foreign_code_are_refused(
    loop: ActiveLearningLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    config: Any = loop.journal.config
    with monkeypatch.context() as patched:
        patched.setitem(config["dataset"], "imbalance", "step")
        with pytest.raises(UsageError, match="The images are not those that"):
            load_recorded(loop.journal)
    with monkeypatch.context() as patched:
        patched.setitem(config["trainer"], "_target_", "os.system")
        with pytest.raises(UsageError, match=r"names os\.system"):
            load_recorded(loop.journal)
    with pytest.raises(UsageError, match="are in no folder: leave out elsewhere"):
        load_recorded(loop.journal, place=Path("elsewhere"))


def test_a_run_without_weights_is_refused(tmp_path: Path) -> None:
    journal = run_recorded(tmp_path).journal
    (tmp_path / "checkpoints" / "last.ckpt").unlink()
    with pytest.raises(UsageError, match=r"last\.ckpt is not there"):
        load_recorded(journal)


def test_files_that_have_gone_since_are_not_seen_and_change_nothing_else(tmp_path: Path) -> None:
    loop = run_on_files(tmp_path)
    run, before = load_trained(loop.journal.path.parent), load_recorded(loop.journal)
    files, pool = loop.learner.data.train.files, loop.journal.pool
    assert files is not None
    gone = [*pool.labeled_ids[:4].tolist(), *pool.unlabeled_ids[:3].tolist()]
    for image in gone:
        (tmp_path / "old" / files[image]).unlink()
    save_image(tmp_path / "old" / "0" / "new.png", torch.full((1, 8, 8), 77, dtype=torch.uint8))
    now = load_recorded(loop.journal)
    tested = len(now.learner.data.test) - len(loop.learner.data.test)  # by its content, or not
    assert now.unknown_images + tested == 1
    assert now.pool.labeled_ids.tolist() == pool.labeled_ids[4:].tolist()
    ids = now.pool.unlabeled_ids
    assert ids.tolist() == pool.unlabeled_ids[3:].tolist()
    assert now.fitted(run).probabilities(ids).equal(before.fitted(run).probabilities(ids))
    assert now.fitted(run).datamodule.normalization == run.normalization


def test_the_digest_of_labeled_pixels_changes_with_them_alone(tmp_path: Path) -> None:
    loop = run_on_files(tmp_path)
    files, pool = loop.learner.data.train.files, loop.journal.pool
    assert files is not None
    before = load_recorded(loop.journal).labeled_pixels
    other = torch.full((1, 8, 8), 77, dtype=torch.uint8)
    save_image(tmp_path / "old" / files[int(pool.unlabeled_ids[0])], other)
    assert load_recorded(loop.journal).labeled_pixels == before
    save_image(tmp_path / "old" / files[int(pool.labeled_ids[0])], other + 1)
    assert load_recorded(loop.journal).labeled_pixels != before


def test_images_may_have_moved(tmp_path: Path) -> None:
    loop = run_on_files(tmp_path)
    (tmp_path / "old").rename(tmp_path / "new")
    with pytest.raises(UsageError, match="old"):
        load_recorded(loop.journal)
    recorded = load_recorded(loop.journal, place=tmp_path / "new")
    assert recorded.learner.data.train.files == loop.learner.data.train.files
