from dataclasses import replace

from al_lightning.report.study.reproduction import provenance
from tests.report.helpers import a_passive_run, a_run, a_study, the_setting


def test_facts_of_a_setting() -> None:
    runs = a_study({"random": 0.0, "margin": 0.1}, seeds=2, passive=0.9)
    facts = provenance(the_setting(runs)).facts
    assert facts["Data"] == "toys: 200 training images, 30 test images, 4 classes"
    assert facts["Model"] == "cnn: 1,234 trainable parameters"
    assert facts["Strategies"] == "random and margin"
    assert facts["Passive baseline"] == "2 runs, trained for 100 steps"
    assert facts["Seeds"] == "0 and 1"
    assert facts["Compared at"] == "10, 20, 30, 40 labels"
    assert facts["Validation labels"] == "none"
    assert facts["Steps a fit"] == "100"
    assert facts["Versions"] == "python 3.11.7, torch 2.6.0"
    assert facts["Hardware"].startswith("processor abacus, threads 1, device cpu")


def test_validation_labels_and_mixed_versions_are_told() -> None:
    runs = [a_run("random", validation=4), a_run("margin", validation=4, versions={"torch": "2.7"})]
    facts = provenance(the_setting(runs)).facts
    assert facts["Validation labels"] == "4, counted in the labels above"
    assert facts["Versions"] == "python 3.11.7, torch 2.6.0 / 2.7"


def test_the_configuration_is_what_all_runs_share() -> None:
    config = provenance(the_setting(a_study({"random": 0.0, "margin": 0.1}))).config
    assert config["recipe.optimizer.lr"] == "0.003"
    assert not {"seed", "names.strategy", "strategy._target_"} & config.keys()
    assert list(config) == sorted(config)


def test_a_baseline_alone_and_no_run_at_all() -> None:
    assert provenance(the_setting([a_passive_run()])).facts["Compared at"] == "all labels"
    assert provenance(the_setting([a_run("kl", 0, (), (), finished=False)])).facts == {}


def test_the_commands_play_all_runs_the_baseline_last() -> None:
    runs = [a_run(name, 0, overrides=[f"strategy={name}"]) for name in ("random", "margin")]
    runs.append(replace(a_passive_run(), overrides=("strategy=passive",)))
    assert provenance(the_setting(runs)).commands == tuple(
        f"python -m al_lightning strategy={name}" for name in ("random", "margin", "passive")
    )
