from al_lightning.report.study.reproduction import provenance
from al_lightning.report.study.settings import build_study
from tests.report.helpers import a_passive_run, a_run, a_study, the_setting


def test_facts_of_a_setting() -> None:
    runs = a_study({"random": 0.0, "margin": 0.1}, seeds=2, passive=0.9)
    facts = provenance(the_setting(runs)).facts
    assert facts["Data"] == "toys: 200 training images, 30 test images, 4 classes"
    assert facts["Model"] == "cnn: 1,234 trainable parameters"
    assert facts["Strategies"] == "random and margin"
    assert facts["Passive baseline"] == "2 runs"
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


def test_the_command_plays_all_runs_again() -> None:
    runs = a_study({"random": 0.0, "margin": 0.1}, seeds=3, passive=0.9)
    assert provenance(the_setting(runs)).command == (
        "python -m al_lightning -m dataset=toys model=cnn strategy=random,margin,passive "
        "seed=0,1,2 budget.initial=10 budget.query=10 budget.total=40 budget.validation=0"
    )


def test_the_command_has_what_tells_the_setting_apart() -> None:
    runs = [a_run(), a_run(config={"recipe": {"optimizer": {"lr": 0.5}}}, folder="other")]
    commands = [provenance(setting).command or "" for setting in build_study(runs)]
    assert [command.split()[-1] for command in commands] == [
        "recipe.optimizer.lr=0.003",
        "recipe.optimizer.lr=0.5",
    ]


def test_the_command_keeps_what_all_runs_were_given_and_quotes_it() -> None:
    config = {"query_seed": 7, "threads": 2, "dataset": {"path": "/my cats"}}
    command = provenance(
        the_setting(a_study({"random": 0.0, "margin": 0.1}, config=config))
    ).command
    assert command is not None
    assert command.endswith("query_seed=7 threads=2 'dataset.path=/my cats'")


def test_what_one_command_cannot_play_has_none() -> None:
    by_hand = [a_run(f"random-{q}", config={"strategy": {"_target_": "Random"}}) for q in (1, 2)]
    same = [a_run(name, config={"strategy": {"_target_": "Random"}}) for name in ("random", "mine")]
    seeds = [a_run("random", s, config={"query_seed": s}) for s in (1, 2)]
    variants = [a_run("l2", config={"strategy": {"k": k}}, folder=str(k)) for k in (2, 3)]
    for runs in (by_hand, same, seeds, variants):
        assert provenance(the_setting(runs)).command is None


def test_runs_of_the_library_have_no_command() -> None:
    assert provenance(the_setting([a_run(config={"names": {}})])).command is None


def test_the_configuration_is_what_all_runs_share() -> None:
    config = provenance(the_setting(a_study({"random": 0.0, "margin": 0.1}))).config
    assert config["recipe.optimizer.lr"] == "0.003"
    assert not {"seed", "names.strategy", "strategy._target_"} & config.keys()
    assert list(config) == sorted(config)


def test_a_baseline_alone_and_no_run_at_all() -> None:
    assert provenance(the_setting([a_passive_run()])).facts["Compared at"] == "all labels"
    assert provenance(the_setting([a_run("kl", 0, (), (), finished=False)])).facts == {}


def test_recorded_overrides_are_all_in_the_command() -> None:
    runs = [
        a_run(name, s, overrides=[f"strategy={name}", f"seed={s}", "recipe.epochs=3", "mine=[1,2]"])
        for name in ("random", "margin")
        for s in (0, 1)
    ]
    assert provenance(the_setting(runs)).command == (
        "python -m al_lightning -m strategy=random,margin seed=0,1 recipe.epochs=3 'mine=[1,2]'"
    )


def test_where_some_journals_are_old_the_command_follows_from_the_configurations() -> None:
    runs = [a_run("random", 0, overrides=["strategy=random"]), a_run("margin", 0)]
    assert (provenance(the_setting(runs)).command or "").startswith(
        "python -m al_lightning -m dataset=toys model=cnn strategy=random,margin seed=0 budget.initial"
    )
