"""The story of a project: labels are corrected, images come and go, a class is added, budgets grow.

    OMP_NUM_THREADS=1 AL_LIGHTNING_DATA=... python benchmarks/living_project.py
    OMP_NUM_THREADS=1 AL_LIGHTNING_DATA=... python benchmarks/living_project.py --kills 30
    OMP_NUM_THREADS=1 python benchmarks/living_project.py --restart 100000

The story is told on 3,000 images of CIFAR-10, written as PNG and JPEG files into a temporary folder. A
program fills in the sheets by the true classes. Every step prints its commands, and is checked. With
``--kills``, the story is told twice, with a small CNN: once without a disturbance, and once with so
many commands SIGKILLed at random instants and given again. Both must end the same. With ``--restart``,
the starts of a project of so many files are timed: first, with nothing new, and with 1,000 new files.
Results are added to benchmarks/results/living_project.json.
"""

import argparse
import os
import random
import tempfile
from pathlib import Path
from typing import Any

from forked import QUICK
from journals import comparable
from project_starts import restarts
from raw import record_part
from sheets import read_rows, write_rows
from teller import NAMES, RUN, Teller, number_of

from al_lightning import Journal
from al_lightning.data.sources.cifar import CIFAR10

OLD, NEW, SIXTH = 3_000, 400, 100  # images of five classes, of five more later, and of the sixth
_PRETRAINED = (
    "model=efficientnet_lite0_linear",
    "model.image_size=96",
    "threads=1",
    "progress=false",
)


def check(what: str, *, holds: bool) -> None:
    """Stop where something does not hold."""
    if not holds:
        raise RuntimeError(f"does not hold: {what}")
    print(f"    {what}", flush=True)


def story(teller: Teller) -> dict[str, Any]:
    """Tell the story; return its figures."""
    label_and_correct(teller)
    images_come_and_go(teller)
    classes_and_budgets(teller)
    print("6. A review after 10 % of the labels were made wrong")
    found = review(teller)
    move_on(teller)
    journal = teller.journal
    return {"commands": len(teller.seconds), "labels": len(journal.label_of), **found}


def label_and_correct(teller: Teller) -> None:
    """Label by five classes, and correct three labels."""
    print("1. Five classes, three rounds; three labels are wrong")
    for number in range(OLD):
        teller.save(number)
    teller.label(140, wrong=3)
    journal = teller.journal
    bought = [event["labels_bought"] for event in journal.rounds]
    check(f"labels of the rounds: {bought}", holds=bought == [60, 100, 140])
    check("3 labels are wrong", holds=len(wrong := teller.wrong_labels()) == 3)
    print("2. They are corrected")
    teller.set(wrong)
    teller.label(140)
    last = teller.journal.rounds[-1]
    check("no label is wrong", holds=not teller.wrong_labels())
    check("a round because of corrections", holds=last["because"] == ["corrections"])


def images_come_and_go(teller: Teller) -> None:
    """Add, rename and delete files."""
    print("3. 500 images come, 20 are renamed, 20 are deleted")
    before = teller.images()
    for number in range(OLD, OLD + NEW + SIXTH):
        teller.save(number)
    known = [path for path in teller.files() if number_of(path.name) < OLD]
    for path in known[:2000:100]:
        target = path.parent / "moved" / f"photo_{path.name}"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    for path in known[50:2050:100]:
        path.unlink()
    teller.label(140)
    (event,) = (e for e in teller.journal.events if e["event"] == "images")
    counts = [event["size"], len(event["gone"]), event["renamed"], event["new"]]
    check(f"size, gone, renamed, new: {counts}", holds=counts == [3500, 20, 20, 500])
    images = teller.images()
    check("all ids are the same images", holds=all(images[i] == n for i, n in before.items()))


def classes_and_budgets(teller: Teller) -> None:
    """Add a class, and raise the budget twice."""
    print("4. A sixth class; the budget is raised")
    add = "al_lightning.classes", str(RUN), "--add", "dog"
    teller.command(*add, done=lambda: "dog" in teller.journal.classes)
    teller.label(200)
    journal = teller.journal
    new = [i for event in journal.labels("validation")[1:] for i in event["ids"]]
    check(f"{len(new)} validation labels of new images", holds=len(new) == 3 and min(new) >= OLD)
    print("5. The budget is raised again")
    teller.label(240)
    journal = teller.journal
    bought = [event["labels_bought"] for event in journal.rounds]
    dogs = sum(label == 5 for label in journal.label_of.values())
    check(f"labels of the rounds: {bought}, dogs: {dogs}", holds=bought[-1] == 240)
    check("no label is wrong", holds=not teller.wrong_labels())


def move_on(teller: Teller) -> None:
    """Begin a new project from the exported labels."""
    print("7. Export, and a new project from the table")
    teller.command("al_lightning.labels", str(RUN), "--to", "labels.csv", "--all", "--overwrite")
    table = ("dataset=table", "dataset.path=labels.csv", "dataset.image_size=32")
    teller.command(
        *("al_lightning", "project=second", *table, "oracle=csv", "budget.query=40"),
        *("budget.total=240", *teller.model),
    )
    second = Journal(teller.folder / RUN.parent / "second" / "journal.jsonl")
    rows = read_rows(second.path.parent / "images.csv")
    named = {int(row["id"]): number_of(row["file"]) for row in rows if row["id"]}
    images = teller.images()
    here = {
        i: k for i, k in teller.journal.label_of.items() if i not in teller.journal.pool.absent_ids
    }
    one = {images[i]: teller.journal.classes[label] for i, label in here.items()}
    other = {named[i]: second.classes[label] for i, label in second.label_of.items()}
    check(f"the same {len(one)} labels in the new project", holds=one == other)


def review(teller: Teller) -> dict[str, int]:
    """Plant wrong labels, look for them, and correct them."""
    draw, journal = random.Random(0), teller.journal
    trained = journal.pool.labeled_ids.tolist()
    planted = draw.sample(trained, round(len(trained) / 10))
    images = teller.images()
    teller.set({i: (teller.truth[images[i]] + 1) % 6 for i in planted})
    teller.label(240)
    sheet = teller.folder / RUN / "review.csv"
    teller.command("al_lightning.review", str(RUN), done=sheet.exists)
    rows = read_rows(sheet)
    firsts = {n: sum(int(row["id"]) in planted for row in rows[:n]) for n in (50, 100)}
    for row in rows[:100]:
        if int(row["id"]) in planted:
            row["label"] = NAMES[teller.truth[number_of(row["file"])]]
    write_rows(sheet, rows)
    if firsts[100]:
        teller.command("al_lightning.review", str(RUN), "--apply", "--by", "Ben")
    check(
        f"{len(planted)} planted: {firsts[50]} in the first 50, {firsts[100]} in the first 100",
        holds=len(teller.wrong_labels()) == len(planted) - firsts[100],
    )
    if left := teller.wrong_labels():
        teller.set(left)
    teller.label(240)
    check("no label is wrong", holds=not teller.wrong_labels())
    return {"planted": len(planted), "in first 50": firsts[50], "in first 100": firsts[100]}


def end_of(teller: Teller) -> list[Any]:
    """Return what two stories must have in common."""
    parts: list[Any] = []
    for folder in sorted((teller.folder / RUN).parent.iterdir()):
        parts += comparable(Journal(folder / "journal.jsonl").events)
        images = read_rows(folder / "images.csv")
        parts += [{k: v for k, v in row.items() if k != "modified"} for row in images]
        parts += [path.read_text() for path in sorted(folder.glob("queries/*.csv"))]
    return parts


def tell(kills: int) -> tuple[str, dict[str, Any]]:
    """Tell the story once, or twice where commands are killed; return which, and its figures."""
    root = os.environ.get("AL_LIGHTNING_DATA", "data")
    data = CIFAR10(root).load().train
    labels = data.labels
    five = (labels < 5).nonzero().flatten()[: OLD + NEW]
    sixth = (labels == 5).nonzero().flatten()[:SIXTH]
    ids = [*five.tolist(), *sixth.tolist()]
    pixels = data.pixels[ids].permute(0, 2, 3, 1).numpy()
    truth = labels[ids].tolist()
    quick = [key for key in QUICK if key != "threads=1"]
    model = ("model=cnn", *quick, "threads=1") if kills else _PRETRAINED
    with tempfile.TemporaryDirectory() as name:
        (whole := Path(name) / "whole").mkdir()
        teller = Teller(whole, pixels, truth, model)
        found: dict[str, Any] = story(teller)
        found["seconds of commands"] = round(sum(teller.seconds), 1)
        if not kills:
            return "story", found
        draw = random.Random(0)
        delays: dict[int, list[float]] = {}
        for _ in range(kills):
            number = draw.randrange(len(teller.seconds))
            delays.setdefault(number, []).append(draw.uniform(0, teller.seconds[number]))
        (cut := Path(name) / "cut").mkdir()
        killed = Teller(cut, pixels, truth, model, delays)
        story(killed)
        same = end_of(killed) == end_of(teller)
        print(f"{killed.kills} kills; the end is {'identical' if same else 'DIFFERENT'}")
        return "kills", {"kills": killed.kills, "identical": same}


def main() -> None:
    """Tell the story, or time restarts; keep the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=0, metavar="N", help="commands to kill")
    parser.add_argument("--restart", type=int, default=0, metavar="FILES", help="time restarts")
    given = parser.parse_args()
    part, found = restarts(given.restart) if given.restart else tell(given.kills)
    record_part("living_project", part, found)


if __name__ == "__main__":
    main()
