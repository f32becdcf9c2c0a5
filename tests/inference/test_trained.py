from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from al_lightning.data import PoolDataModule
from al_lightning.inference.last_weights import read_last_weights
from al_lightning.inference.trained import Predictor, load_trained, prediction_device
from al_lightning.models import ImageClassifier
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal
from al_lightning.run.pool import Pool
from al_lightning.strategies.evidence import Need
from al_lightning.training.calibration import Calibration
from al_lightning.training.checkpoint import Checkpoint
from al_lightning.training.scoring import Scorer
from al_lightning.utils.errors import JournalError, UsageError
from tests.helpers import (
    CLASSES,
    NORMALIZATION,
    SHAPE,
    Linear,
    TinySource,
    same_weights,
    tiny_classifier,
    tiny_images,
    tiny_trainer,
)
from tests.inference.trained_runs import (
    CALIBRATION,
    CONFIG,
    FACTS,
    save_image,
    write_journal,
    write_trained,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_trained(tmp_path / "run")


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in FACTS.items() if name != key}


def test_a_run_is_loaded_with_what_is_known_of_it(folder: Path) -> None:
    run = load_trained(str(folder))
    assert (run.folder, run.classes, run.image_shape) == (folder, CLASSES, SHAPE)
    assert run.normalization == NORMALIZATION
    assert not any(part.training for part in run.network.modules())
    assert isinstance(run.network.classifier, ImageClassifier)
    saved = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    loaded = run.network.classifier.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in saved.items())


def test_it_says_what_the_loop_says(folder: Path) -> None:
    run = load_trained(folder)
    datamodule = PoolDataModule(TinySource())
    datamodule.begin_round(Pool(60).reveal(torch.arange(6), torch.arange(6) % 3), 0)
    scorer = Scorer(tiny_trainer(), run.network.classifier, datamodule)
    test = datamodule.data.test
    evidence = scorer.evidence(test, torch.arange(30), {Need.PROBABILITIES})
    run.network.eval()
    torch.testing.assert_close(
        run.predict(test.pixels[:]), evidence.require(Need.PROBABILITIES), rtol=0, atol=1e-6
    )


def test_probabilities_are_those_of_normalised_pixels(folder: Path) -> None:
    run = load_trained(folder)
    pixels = tiny_images(5).pixels[:]
    with torch.no_grad():
        logits = run.network.classifier((pixels / 255 - 0.3) / 0.25)
    probabilities = run.predict(pixels)
    torch.testing.assert_close(probabilities, logits.softmax(1), rtol=0, atol=1e-5)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(5))
    torch.testing.assert_close(run.predict(pixels.float() / 255), probabilities)


def test_random_numbers_are_left_as_they_were(folder: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    load_trained(folder)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("shape", [(2, 1, 8, 9), (2, 3, 8, 8), (1, 8, 8)])
def test_images_of_another_shape_are_refused(folder: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=r"\(B, 1, 8, 8\)"):
        load_trained(folder).predict(torch.zeros(shape))


def test_own_classifiers_can_be_given(tmp_path: Path) -> None:
    folder = write_trained(tmp_path, config={"seed": 0})
    own = tiny_classifier(seed=5)
    run = load_trained(folder, own)
    assert run.network.classifier is own
    assert not same_weights(own, tiny_classifier(seed=5))


def test_a_classifier_without_the_two_halves_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="`embed`"):
        Predictor(torch.nn.Identity(), NORMALIZATION)  # type: ignore[arg-type]


def test_what_is_no_run_is_named_with_the_runs_below(folder: Path) -> None:
    with pytest.raises(UsageError, match="nowhere is no folder: expected a run's folder"):
        load_trained(folder / "nowhere")
    with pytest.raises(UsageError, match=r"has no journal\.jsonl") as caught:
        load_trained(folder / "checkpoints")
    assert "Runs below" not in str(caught.value)
    for index in range(7):
        write_journal(folder.parent / f"other{index}")
    with pytest.raises(UsageError, match="Runs below it:") as caught:
        load_trained(folder.parent)
    assert str(folder.parent / "other0") in str(caught.value)
    assert "and 3 more" in str(caught.value)


def test_a_run_that_has_not_begun(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes(b'{"torn')
    with pytest.raises(UsageError, match="has not begun"):
        load_trained(tmp_path)


def test_a_damaged_journal(folder: Path) -> None:
    (folder / "journal.jsonl").write_text("none\n")
    with pytest.raises(JournalError, match="line 1"):
        load_trained(folder)


def test_a_journal_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError("Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UsageError, match=r"journal\.jsonl cannot be read: Permission denied"):
        load_trained(folder)


@pytest.mark.parametrize(
    ("rounds", "finished", "said"),
    [
        (0, False, "has not fitted its classifier yet"),
        (1, False, "run the same command again"),
        (1, True, "run the same command again, which fits the last round again"),
    ],
)
def test_a_run_without_weights(tmp_path: Path, rounds: int, finished: bool, said: str) -> None:
    write_journal(tmp_path, rounds, finished)
    with pytest.raises(UsageError, match=said):
        load_trained(tmp_path)


def test_weights_of_an_unfinished_round_are_there(tmp_path: Path) -> None:
    assert load_trained(write_trained(tmp_path, rounds=0)).classes == CLASSES


def test_damaged_weights(folder: Path) -> None:
    path = folder / "checkpoints" / "last.ckpt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UsageError, match=r"last\.ckpt cannot be used"):
        load_trained(folder)


@pytest.mark.parametrize("name", ["pretrained", "precision", "normalization"])
def test_weights_of_another_version_are_refused(tmp_path: Path, name: str) -> None:
    folder = write_trained(tmp_path, {key: value for key, value in FACTS.items() if key != name})
    with pytest.raises(
        UsageError, match=rf"another version of al_lightning: .* say {name}\. Run the"
    ):
        load_trained(folder)


def test_weights_for_other_classes(tmp_path: Path) -> None:
    write_trained(tmp_path, {**FACTS, "classes": ["cat", "dog", "cow"]})
    with pytest.raises(UsageError, match="another run's: its classes are cat, dog, cow"):
        load_trained(tmp_path)


def test_weights_of_another_model(folder: Path) -> None:
    other = ImageClassifier(Linear(), 3)
    Checkpoint(folder / "checkpoints" / "last.ckpt").save(other, "somewhere", FACTS)
    with pytest.raises(UsageError, match="does not fit the run's classifier, ImageClassifier"):
        load_trained(folder)


@pytest.mark.parametrize("config", [{"seed": 0}, {**CONFIG, "model": {"type": "CNN"}}])
def test_runs_without_the_command_line_need_their_classifier(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    write_trained(tmp_path, config=config)
    with pytest.raises(UsageError, match=r"no config\.model.*load_trained\(folder, classifier\)"):
        load_trained(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"_target_": "nowhere.Network"}, "nowhere"),
        ({"depth": 3}, "model cannot be made.*depth"),
        ({"filters": [[4]] * 9}, "too small"),
    ],
)
def test_classifiers_that_cannot_be_made(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    write_trained(tmp_path, config={**CONFIG, "model": {**CONFIG["model"], **change}})
    with pytest.raises(UsageError, match=rf"(?s)journal\.jsonl names cannot be made.*{said}"):
        load_trained(tmp_path)


def test_predictions_are_made_on_the_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    assert prediction_device() == torch.device("cpu")
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("cuda"))
    assert prediction_device() == torch.device("cuda")


def test_weights_of_another_round_are_refused(tmp_path: Path) -> None:
    folder = write_trained(tmp_path, rounds=2)
    Checkpoint(folder / "checkpoints" / "last.ckpt").save(tiny_classifier(), "round 0", FACTS)
    with pytest.raises(
        UsageError, match=r"not have the weights of the run's last round, 1.*same command"
    ):
        load_trained(folder)


def test_weights_of_a_round_that_was_cut_off_have_the_classes_of_now(tmp_path: Path) -> None:
    journal = write_journal(tmp_path, finished=False, project=True)
    journal.record_classes(ClassChange(("owl",)))
    facts = {**FACTS, "round": 1, "classes": [*CLASSES, "owl"]}
    Checkpoint(tmp_path / "checkpoints" / "last.ckpt").save(tiny_classifier(), "round 1", facts)
    assert read_last_weights(journal).facts["classes"] == [*CLASSES, "owl"]


@pytest.mark.parametrize(("precision", "bits"), [("bf16-mixed", 8), ("32-true", 24)])
def test_images_are_seen_in_the_precision_of_the_run(
    tmp_path: Path, precision: str, bits: int
) -> None:
    folder = write_trained(tmp_path, {**FACTS, "precision": precision})
    run = load_trained(folder)
    datamodule = PoolDataModule(TinySource())
    datamodule.begin_round(Pool(60).reveal(torch.arange(6), torch.arange(6) % 3), 0)
    test = datamodule.data.test
    trainer = tiny_trainer(precision=precision)
    scorer = Scorer(trainer, run.network.classifier, datamodule)
    said = scorer.evidence(test, torch.arange(30), {Need.PROBABILITIES})
    found = run.predict(test.pixels[:])
    assert torch.equal(found, said.require(Need.PROBABILITIES))
    exact = replace(run, precision="32-true").predict(test.pixels[:])
    assert float((found - exact).abs().max()) < 4 * 2.0**-bits
    assert torch.equal(found, exact) == (precision == "32-true")


def test_a_run_from_elsewhere_makes_nothing_that_it_names(tmp_path: Path) -> None:
    evil = {"_target_": "builtins.exec", "_args_": [f"open('{tmp_path}/ran', 'w')"]}
    recipe = {**CONFIG["recipe"], "augmentation": evil}
    folder = write_trained(tmp_path / "run", config={**CONFIG, "recipe": recipe})
    with pytest.raises(UsageError, match=r"recipe\.augmentation names builtins\.exec.*--trust"):
        load_trained(folder)
    assert not (tmp_path / "ran").exists()
    load_trained(folder, trust=True)
    assert (tmp_path / "ran").exists()


def test_a_temperature_divides_the_logits_unless_raw_probabilities_are_wanted(
    tmp_path: Path, folder: Path
) -> None:
    run = load_trained(write_trained(tmp_path / "calibrated", calibration=CALIBRATION))
    assert load_trained(folder).calibration is None
    assert run.calibration is not None
    assert run.calibration.as_event() == CALIBRATION
    pixels = tiny_images(20).pixels[:]
    with torch.no_grad():
        logits = run.network.classifier((pixels / 255 - 0.3) / 0.25)
    raw = run.predict(pixels, calibrated=False)
    torch.testing.assert_close(raw, logits.softmax(1), rtol=0, atol=1e-5)
    torch.testing.assert_close(run.predict(pixels), (logits / 2).softmax(1), rtol=0, atol=1e-5)
    assert run.predict(pixels).argmax(1).equal(raw.argmax(1))
    files = [tmp_path / f"{i}.png" for i in range(3)]
    for file, image in zip(files, pixels, strict=False):
        save_image(file, image)
    torch.testing.assert_close(run.predict(files, calibrated=False), raw[:3])
    assert run.calibrated_by(None).predict(pixels).equal(raw)


def test_a_project_that_goes_on_with_another_model_has_that_of_its_last_fit(tmp_path: Path) -> None:
    folder = write_trained(tmp_path, finished=False, project=True)
    pixels = tiny_images(5).pixels[:]
    before = load_trained(folder).predict(pixels)
    journal = Journal(folder / "journal.jsonl")
    journal.record_setting("model.dense", [9])
    journal.record_setting("dataset.value_range", [0, 4095])
    assert journal.config["model"]["dense"] == [9]
    assert journal.config_in(0)["model"]["dense"] == CONFIG["model"]["dense"]
    run = load_trained(folder)
    assert run.predict(pixels).equal(before)
    assert run.value_range is None


def test_a_run_is_left_as_it_was_where_another_temperature_is_taken(folder: Path) -> None:
    raw, pixels = load_trained(folder), tiny_images(5).pixels[:]
    before = raw.predict(pixels)
    hot = raw.calibrated_by(Calibration(3.0, 20, "validation", 0.2, 0.1))
    assert hot.network.classifier is raw.network.classifier
    assert not hot.predict(pixels).equal(before)
    assert raw.predict(pixels).equal(before)
