import random
import shlex
from collections.abc import Sequence
from itertools import product

import pytest

from al_lightning.report.study.commands import command_of
from tests.report.helpers import a_run


def command(*given: Sequence[str] | None) -> str | None:
    return command_of([a_run(overrides=overrides) for overrides in given])


def test_what_was_swept_is_joined_by_commas_and_all_else_is_kept() -> None:
    shared = ["dataset=digits", "budget.total=150", "recipe.min_steps=8", "threads=1"]
    runs = [
        [*shared[:1], f"strategy={name}", f"seed={seed}", *shared[1:]]
        for name, seed in product(("random", "margin"), (0, 1, 2))
    ]
    assert command(*runs) == (
        "python -m al_lightning -m dataset=digits strategy=random,margin seed=0,1,2 "
        "budget.total=150 recipe.min_steps=8 threads=1"
    )


def test_a_single_run_is_no_sweep() -> None:
    assert command(["strategy=margin"]) == "python -m al_lightning strategy=margin"
    assert command([]) == "python -m al_lightning"
    assert command(["seed=1"], ["seed=1"]) == "python -m al_lightning seed=1"


def test_what_one_command_cannot_play_takes_several() -> None:
    runs = [["strategy=random", "seed=0"], ["strategy=random", "seed=1"]]
    runs += [["strategy=margin", "seed=0"], ["strategy=margin", "seed=2"]]
    assert (command(*runs) or "").splitlines() == [
        "python -m al_lightning -m strategy=random seed=0,1",
        "python -m al_lightning -m strategy=margin seed=0,2",
    ]
    other_keys = [["seed=0"], ["seed=1"], ["strategy=margin", "seed=0", "strategy.k=2"]]
    assert (command(*other_keys) or "").splitlines() == [
        "python -m al_lightning -m seed=0,1",
        "python -m al_lightning strategy=margin seed=0 strategy.k=2",
    ]
    by_seed = [["seed=0", "query_seed=1"], ["seed=1", "query_seed=2"]]
    assert (command(*by_seed) or "").splitlines() == [
        "python -m al_lightning seed=0 query_seed=1",
        "python -m al_lightning seed=1 query_seed=2",
    ]


@pytest.mark.parametrize("seed", range(20))
def test_the_commands_play_the_runs_and_no_others(seed: int) -> None:
    """Whatever was run: all combinations of what a command joins are the runs, each once."""
    drawn = random.Random(seed)
    runs = {
        (("a", drawn.choice("xy")), ("seed", drawn.choice("012")), ("c", drawn.choice("pq")))[
            : drawn.choice((2, 3))
        ]
        for _ in range(8)
    }
    lines = (command(*[[f"{k}={v}" for k, v in run] for run in runs]) or "").splitlines()
    played = []
    for line in lines:
        words = [word.split("=") for word in shlex.split(line) if "=" in word]
        choices = [[(key, value) for value in values.split(",")] for key, values in words]
        played += [frozenset(each) for each in product(*choices)]
    assert sorted(map(sorted, played)) == sorted(map(sorted, map(frozenset, runs)))


def test_values_are_kept_as_they_were_given_and_quoted() -> None:
    given = ["model.filters=[[4],[4]]", "dataset.path=/my cats", "+recipe.new=1", "~recipe.x"]
    text = command(given) or ""
    assert shlex.split(text)[3:] == given
    swept = command([*given, "seed=0"], [*given, "seed=1"]) or ""
    assert shlex.split(swept)[3:] == ["-m", "seed=0,1", *given]


def test_what_starts_anew_or_opens_a_service_is_left_out() -> None:
    given = ["overwrite=true", "logger=wandb", "logger.key=secret", "seed=1"]
    assert command(given) == "python -m al_lightning seed=1"


def test_of_journals_that_do_not_say_there_is_no_command() -> None:
    assert command(None) is None
    assert command(["seed=0"], None) is None
    assert command() is None
