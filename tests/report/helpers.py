"""Synthetic runs whose effects are known, and their journals, written as a run would write them."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray

from al_lightning.report.analysis.results import Analysis, analyse
from al_lightning.report.rules import Rules
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import PHASES, Round, Run
from al_lightning.report.study.settings import Setting
from al_lightning.report.tables.formats import Table, to_records
from al_lightning.run.journal import Journal

CLASSES = ("shirt", "boot", "bag", "coat")
LABELS = (10, 20, 30, 40)
TRAIN = 200
VERSIONS = {"python": "3.11.7", "torch": "2.6.0"}
HARDWARE = {"processor": "abacus", "threads": 1, "device": "cpu", "precision": "32-true"}


def a_run(
    strategy: str = "random",
    seed: int | None = 0,
    accuracy: Sequence[float] = (0.5, 0.6, 0.7, 0.8),
    labels: Sequence[int] = LABELS,
    *,
    dataset: str = "toys",
    model: str = "cnn",
    train: int = TRAIN,
    classes: Sequence[str] = CLASSES,
    validation: int = 0,
    config: Mapping[str, Any] | None = None,
    versions: Mapping[str, Any] | None = None,
    hardware: Mapping[str, Any] | None = None,
    start: str | None = None,
    mix: Sequence[int] | None = None,
    macro_f1: Sequence[float] | None = None,
    metrics: Mapping[str, Sequence[float]] | None = None,
    recall: Sequence[Sequence[float]] | None = None,
    seconds: Mapping[str, float] | None = None,
    finished: bool = True,
    folder: str | None = None,
    overrides: Sequence[str] | None = (),
) -> Run:
    """A run, without its journal.

    Args:
        strategy: Its name.
        seed: Its seed.
        accuracy: Of each round.
        labels: Bought until each round, ``validation`` included.
        dataset: Its name.
        model: Its name.
        train: Training images.
        classes: Names.
        validation: Labels for validation.
        config: Joins the configuration.
        versions: By package.
        hardware: Joins the hardware.
        start: What it starts from; by default the same under every seed.
        mix: Labels of each class in each query; by default classes take turns.
        macro_f1: Of each round; the accuracy by default.
        metrics: More of them, of each round.
        recall: Of each round and class; the accuracy by default.
        seconds: Of each round by phase; score and select are 0 in the last.
        finished: Whether it has ended.
        folder: By default from the names.
        overrides: As they were given on the command line; None of a run of the library.
    """
    spent = {"fit": 8.0, "test": 1.0, "score": 2.0, "select": 0.5, **(seconds or {})}
    rounds = []
    for k, (bought, score) in enumerate(zip(labels, accuracy, strict=True)):
        f1 = score if macro_f1 is None else macro_f1[k]
        more = {name: values[k] for name, values in (metrics or {}).items()}
        idle = {"score": 0.0, "select": 0.0} if k == len(labels) - 1 and finished else {}
        test = {"accuracy": score, "macro_f1": f1, **more}
        rounds.append(
            Round(
                labels=bought,
                metrics=test,
                validation={"accuracy": score} if validation else {},
                per_class={"recall": [score] * len(classes) if recall is None else list(recall[k])},
                seconds={**spent, **idle},
                steps=100,
                index=k,
                validation_labels=validation,
            )
        )
    sizes = [after - before for before, after in pairwise(labels)]
    return Run(
        folder=Path(folder or f"{dataset}/{model}/{strategy}/seed={seed}"),
        dataset=dataset,
        model=model,
        strategy=strategy,
        seed=seed,
        config=_config(strategy, seed, dataset, model, config or {}),
        versions=versions or VERSIONS,
        hardware={**HARDWARE, **(hardware or {})},
        classes=tuple(classes),
        data={"train": train, "test": 30, "fingerprint": f"data of {dataset}"},
        trainable_parameters=1234,
        start=start or f"labels of seed {seed}",
        initial_mix=_turns((labels[0] if labels else 8) - validation, len(classes)),
        query_mix=tuple(tuple(mix) if mix else _turns(size, len(classes)) for size in sizes),
        validation_labels=validation,
        rounds=tuple(rounds),
        finished=finished,
        overrides=None if overrides is None else tuple(overrides),
    )


def a_passive_run(seed: int = 0, accuracy: float = 0.9, **arguments: Any) -> Run:
    """A run on all labels, named as the command line names it."""
    config = {**arguments.pop("config", {}), "budget_override": {"initial": "all", "total": "all"}}
    labels = [arguments.get("train", TRAIN)]
    return a_run("passive", seed, [accuracy], labels, config=config, **arguments)


def a_study(
    effects: Mapping[str, float],
    seeds: int = 3,
    *,
    labels: Sequence[int] = LABELS,
    noise: float = 0.0,
    spread: float = 0.0005,
    passive: float | None = None,
    **arguments: Any,
) -> list[Run]:
    """Runs of several strategies under several seeds.

    The accuracy of random rises by 0.1 a round from 0.5, plus 0.01 a seed; a strategy is its effect
    above that from round 1 on. ``noise`` is the standard deviation of what is added to each round;
    other query seeds draw other noise. ``spread`` is what seeds differ by beside it: centred, so that
    means over all seeds are what the effects say, while tests have something to test against.
    """
    runs = []
    apart = {name: _centred(name, seeds, len(labels)) * spread for name in effects}
    query_seed = arguments.get("config", {}).get("query_seed") or 0
    for seed in range(seeds):
        for name, effect in effects.items():
            generator = np.random.default_rng([query_seed, seed, *name.encode()])
            drawn = generator.normal(0, 1, len(labels)) * noise + apart[name][seed]
            accuracy = [0.5 + 0.1 * k + 0.01 * seed for k in range(len(labels))]
            accuracy = [a + (effect + float(drawn[k]) if k else 0) for k, a in enumerate(accuracy)]
            runs.append(a_run(name, seed, accuracy, labels, **arguments))
        if passive is not None:
            runs.append(a_passive_run(seed, passive, **arguments))
    return runs


def the_setting(runs: Sequence[Run]) -> Setting:
    """The setting of runs that all share one."""
    (setting,) = build_study(runs)
    return setting


def the_analysis(runs: Sequence[Run], rules: Rules | None = None) -> Analysis:
    """All that is known of runs that share a setting."""
    return analyse(the_setting(runs), rules)


def write_run(root: Path, run: Run) -> Path:
    """Write the journal of a run below a folder; return the run's folder."""
    path = root / run.folder / "journal.jsonl"
    journal = Journal(path)
    on_trainer = ("device", "precision")
    journal.begin(
        {
            "config": run.config,
            "config_hash": "0123456789abcdef",
            "versions": run.versions,
            "hardware": {k: v for k, v in run.hardware.items() if k not in on_trainer},
            "classes": list(run.classes),
            "data": run.data,
            "model": {"trainable_parameters": run.trainable_parameters},
            "trainer": {key: run.hardware[key] for key in on_trainer},
            "overrides": list(run.overrides or ()),
        }
    )
    ids = torch.arange(run.data["train"]).roll(crc32(run.start.encode()) % run.data["train"])
    taken = run.validation_labels
    if taken:
        journal.record_labels(0, ids[:taken], torch.zeros(taken, dtype=torch.int64), "validation")
    mixes = [run.initial_mix, *run.query_mix]
    for index, mix in enumerate(mixes):
        labels = torch.arange(len(mix)).repeat_interleave(torch.tensor(mix))
        new = ids[taken : taken + len(labels)]
        taken += len(labels)
        journal.record_labels(index, new, labels, "query" if index else "initial")
        if index < len(run.rounds):
            journal.record_round(round_event(index, run.rounds[index]))
    if run.finished:
        journal.end("budget")
    return path.parent


def write_runs(root: Path, runs: Sequence[Run]) -> Path:
    """Write the journals of some runs; return ``root``."""
    for run in runs:
        write_run(root, run)
    return root


def texts(table: Table | None) -> dict[str, list[str]]:
    """What readers see of a table, by the first cell of its rows; checks that rows fit columns."""
    assert table is not None
    assert all(len(row) == len(table.columns) for row in table.rows)
    keys = [list(record) for record in to_records(table)]
    assert all(key == keys[0] for key in keys)
    return {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}


def a_trial(seeds: int = 5, strategies: int = 7) -> list[Run]:
    """A study that looks like a real one: ten classes, learning curves that flatten, noise."""
    classes = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
               "Bag", "Ankle boot")  # fmt: skip
    labels = [500 * (k + 1) for k in range(6)]
    hard = np.array([0.05, -0.08, 0.06, 0.0, 0.07, -0.06, 0.22, -0.06, -0.08, -0.07])
    effects = {
        "random": 0.0, "margin": 0.016, "entropy": 0.013, "least_confidence": 0.014, "l2": 0.004,
        "cosine": 0.002, "kl": -0.008, "badge": 0.015, "bald": 0.01, "typiclust": -0.002,
    }  # fmt: skip
    selecting = {"l2": 9.1, "cosine": 9.4, "kl": 14.0}
    runs = []
    for name, effect in list(effects.items())[:strategies]:
        for seed in range(seeds):
            generator = np.random.default_rng([seed, *name.encode()])
            luck = np.random.default_rng(seed).normal(0, 0.003)
            rise = [0.93 - 2.1 / math.sqrt(b + 8) + luck for b in labels]
            lead = [effect * (1 - 500 / b) * 1.6 + generator.normal(0, 0.0025) for b in labels]
            accuracy = [
                a + (d if k else 0) for k, (a, d) in enumerate(zip(rise, lead, strict=True))
            ]
            wanted = 1 + 80 * max(effect, 0) * np.maximum(hard, 0)
            recall = [
                np.clip(a - hard * (1 + 2 * effect) + generator.normal(0, 0.006, 10), 0, 1).tolist()
                for a in accuracy
            ]
            costs = {
                "fit": 82.0 + generator.normal(),
                "test": 3.9,
                "score": 0.0 if effect == 0 else 22.5,
                "select": selecting.get(name, 0.02),
            }
            mix = generator.multinomial(500, wanted / wanted.sum()).tolist()
            runs.append(
                a_run(
                    name, seed, accuracy, labels, dataset="fashion_mnist", train=12_000, mix=mix,
                    classes=classes, recall=recall, macro_f1=[a - 0.002 for a in accuracy],
                    seconds=costs,
                )
            )  # fmt: skip
    recall = [(0.936 - 0.6 * hard).tolist()]
    return runs + [
        a_passive_run(
            seed, 0.936 + 0.001 * seed, dataset="fashion_mnist", train=12_000, classes=classes,
            recall=recall, seconds={"fit": 1640.0},
        )
        for seed in range(seeds)
    ]  # fmt: skip


def round_event(index: int, entry: Round) -> dict[str, Any]:
    """What a journal says of a round."""
    return {
        "round": index,
        "labels_bought": entry.labels,
        "metrics": entry.metrics,
        "per_class": entry.per_class,
        **({"validation": entry.validation} if entry.validation else {}),
        "seconds": {phase: entry.seconds[phase] for phase in PHASES},
        "steps": entry.steps,
        "peak_rss_bytes": 1000,
    }


def _config(
    strategy: str, seed: int | None, dataset: str, model: str, changes: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "names": {"dataset": dataset, "model": model, "strategy": strategy},
        "strategy": {"_target_": f"strategies.{strategy}"},
        "recipe": {"optimizer": {"lr": 0.003}},
        "budget": {"initial": 10, "query": 10, "total": 40, "validation": 0},
        **({} if seed is None else {"seed": seed}),
        **changes,
    }


def _centred(name: str, seeds: int, rounds: int) -> NDArray[np.float64]:
    """Return numbers of about 1 for each seed and round, whose mean over seeds is 0."""
    drawn = np.random.default_rng([*name.encode()]).normal(size=(seeds, rounds))
    return np.asarray(drawn - drawn.mean(axis=0))


def _turns(count: int, classes: int) -> tuple[int, ...]:
    """Return so many labels, classes taking turns."""
    return tuple(count // classes + (k < count % classes) for k in range(classes))
