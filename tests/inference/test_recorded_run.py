from pathlib import Path
from typing import Any

import pytest

from al_lightning import ActiveLearningLoop, Budget, Journal, UsageError, load_trained, out_of_fold
from al_lightning.inference.recorded_run import load_recorded
from al_lightning.strategies.evidence import Need
from tests.helpers import tiny_images
from tests.inference.recorded_runs import CONFIG, run_recorded
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


def test_images_may_have_moved(tmp_path: Path) -> None:
    for index, pixels in enumerate(tiny_images(60).pixels[:]):
        save_image(tmp_path / "old" / str(index % 3) / f"{index}.png", pixels)
    dataset = {
        "_target_": "al_lightning.data.ImageFolder",
        "path": str(tmp_path / "old"),
        "image_size": 8,
        "channels": 1,
        "storage": "memory",
    }
    folder = tmp_path / "outputs" / "a"
    loop = run_recorded(folder, Budget(6, 6, 12), dataset=dataset)
    (tmp_path / "old").rename(tmp_path / "new")
    with pytest.raises(UsageError, match="old"):
        load_recorded(loop.journal)
    recorded = load_recorded(loop.journal, place=tmp_path / "new")
    assert recorded.learner.data.train.files == loop.learner.data.train.files
