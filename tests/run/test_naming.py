from al_lightning.run.naming import run_name, sweep_name


def test_a_run_is_named_by_the_seed_and_what_else_was_overridden() -> None:
    assert run_name(3, ["strategy=margin", "dataset=mnist", "seed=3"]) == "seed=3"
    overrides = ["recipe.batch_size=32", "budget.query=5", "data_root=/x", "progress=false"]
    assert run_name(0, overrides) == "seed=0,budget.query=5,recipe.batch_size=32"
    assert run_name(0, overrides) == run_name(0, overrides[::-1])


def test_a_run_of_a_comparison_is_named_like_the_same_run_on_its_own() -> None:
    assert run_name(1, ["strategy=margin", "seed=1", "experiment=compare"]) == "seed=1"
    assert run_name(1, ["experiment=mine"]) == "seed=1,experiment=mine"


def test_a_sweep_is_named_by_all_that_was_overridden() -> None:
    overrides = ["strategy=margin,random", "seed=0,1", "output_root=/x", "cache=false"]
    assert sweep_name(overrides) == "seed=0,1,strategy=margin,random"
    assert sweep_name(overrides) == sweep_name(overrides[::-1])
    assert sweep_name([]) == "default"


def test_a_name_is_fit_for_every_file_system() -> None:
    name = run_name(0, ["dataset.path=C:\\my images/*"])
    assert not set('<>:"/\\|?* ') & set(name)
    long, other = (["dataset.path=" + "a" * 300 + end] for end in "xy")
    assert len(run_name(0, long)) <= 120
    assert run_name(0, long) != run_name(0, other)
