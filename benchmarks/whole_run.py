"""Times a whole run against hand-written loops and baal's, interleaved; run it by hand.

    python benchmarks/whole_run.py --data DATA_ROOT [--seeds 3] [--threads 2] [--contenders ...]

Fashion-MNIST, 500 + 5 x 500 labels, entropy, the CNN, 10 epochs of batches of 64, Adam at 1e-3. Each
contender is a process of its own, and all of the process counts: imports, reading the images, and, for
al_lightning alone, a journal, query sheets, TensorBoard and checkpoints on the disk. baal needs
`pip install .[bench]`. Where the machine is busy, compare CPU seconds, with one thread.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from raw import record

from al_lightning.data import FashionMNIST
from al_lightning.loop.first_labels import draw_uniform
from al_lightning.run.journal import Journal

INITIAL = 500
_ROOT = Path(__file__).resolve().parents[1]
_CONTENDERS = ("al_lightning", "hand_bf16", "hand_float32", "baal")


def al_lightning(data: str, seed: int, threads: int) -> tuple[list[float], float]:
    """Run the product's own command; return the accuracy of each round, and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *("-m", "al_lightning", "strategy=entropy", "dataset=fashion_mnist", "recipe=plain"),
            *(f"seed={seed}", f"threads={threads}", f"data_root={data}", f"output_root={folder}"),
            *(f"budget.initial={INITIAL}", "budget.query=500", "budget.total=3000", "cache=false"),
        ]
        _, seconds = _python(command)
        (journal,) = Path(folder).rglob("journal.jsonl")
        rounds = Journal(journal).rounds
    return [event["metrics"]["accuracy"] for event in rounds], seconds


def other(contender: str, data: str, seed: int, threads: int) -> tuple[list[float], float]:
    """Run another contender, on the same initial labels; return the same of it."""
    script, precision = {
        "hand_bf16": ("run_by_hand.py", "bf16"),
        "hand_float32": ("run_by_hand.py", "float32"),
        "baal": ("run_by_baal.py", "float32"),
    }[contender]
    images = FashionMNIST(root=data, download=False).load().train
    initial = draw_uniform(torch.arange(len(images)), INITIAL, seed)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as ids:
        json.dump(initial.tolist(), ids)
        ids.flush()
        output, seconds = _python(
            [
                *(f"benchmarks/{script}", "--files", _folder(data), "--initial", ids.name),
                *("--precision", precision, "--seed", str(seed), "--threads", str(threads)),
            ]
        )
    accuracies: list[float] = json.loads(output.splitlines()[-1])
    return accuracies, seconds


def _folder(data: str) -> str:
    """Return where Fashion-MNIST's files lie."""
    places = (Path(data) / "FashionMNIST" / "raw", *FashionMNIST.elsewhere)
    return str(next(place for place in places if place.is_dir()))


def _python(arguments: list[str]) -> tuple[str, float]:
    """Run a process; return what it printed, and how long it took."""
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout, time.perf_counter() - start


def main() -> None:
    """Print one line a process, and a table of medians and ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default=os.environ.get("AL_LIGHTNING_DATA", "data"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--contenders", nargs="+", choices=_CONTENDERS, default=list(_CONTENDERS))
    arguments = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in arguments.contenders}
    computing: dict[str, list[float]] = {name: [] for name in arguments.contenders}
    accuracies: dict[str, list[float]] = {name: [] for name in arguments.contenders}
    for seed in range(arguments.seeds):
        for name in arguments.contenders:
            before = _cpu_seconds()
            if name == "al_lightning":
                curve, wall = al_lightning(arguments.data, seed, arguments.threads)
            else:
                curve, wall = other(name, arguments.data, seed, arguments.threads)
            seconds[name].append(wall)
            computing[name].append(_cpu_seconds() - before)
            accuracies[name].append(curve[-1])
            shown = " ".join(f"{accuracy:.4f}" for accuracy in curve)
            print(
                f"seed {seed}  {name:<13} {seconds[name][-1]:7.1f} s "
                f"(CPU {computing[name][-1]:.1f} s)  {shown}",
                flush=True,
            )
    if {*arguments.contenders} == {*_CONTENDERS}:
        record("whole_run", {"seconds": seconds, "cpu": computing, "accuracy": accuracies})
    print("\n| contender | seconds | ratio | CPU seconds | ratio | accuracy at 3,000, mean |")
    print("| --- | --- | --- | --- | --- | --- |")
    first = arguments.contenders[0]
    for name in arguments.contenders:
        cells = [
            cell
            for found in (seconds, computing)
            for cell in (f"{statistics.median(found[name]):.1f}", _ratio(found[name], found[first]))
        ]
        mean = statistics.mean(accuracies[name])
        print(f"| {name} | {' | '.join(cells)} | {mean:.4f} |")


def _ratio(found: list[float], reference: list[float]) -> str:
    return f"{statistics.median(a / b for a, b in zip(found, reference, strict=True)):.2f}"


def _cpu_seconds() -> float:
    """Return what all processes so far have computed; others on the machine do not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
