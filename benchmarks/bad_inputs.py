"""What bad input is answered: each case, the message, the exit status, what is left on the disk.

    OMP_NUM_THREADS=1 python benchmarks/bad_inputs.py
    OMP_NUM_THREADS=1 python benchmarks/bad_inputs.py --only trainer

Prints a table in Markdown. Every case must end by a message, without a traceback, and a journal that is
there must be what it was. The case of the full disk mounts a small one, and is left out where that is
not allowed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from forked import QUICK, start, wait
from PIL import Image

_NOISE = ("Error executing job", "Set the environment variable", "See https")
_BUDGET = ("budget.initial=20", "budget.query=10", "budget.total=40")
_RUN = [*QUICK, *_BUDGET]


def _nothing(folder: Path) -> None:
    """Leave a folder as it is."""


@dataclass(frozen=True)
class Case:
    """One kind of bad input.

    Attributes:
        name: What it is.
        arguments: Of the command line.
        prepare: Makes the bad input in an empty folder.
        status: The exit status that is right.
    """

    name: str
    arguments: list[str]
    prepare: Callable[[Path], object] = _nothing
    status: int = 1


def finished(folder: Path) -> Path:
    """Make an ordinary run; return its folder."""
    if wait(start(folder, _RUN, "first.txt")) != 0:
        raise RuntimeError((folder / "first.txt").read_text())
    (journal,) = folder.glob("outputs/**/journal.jsonl")
    return journal.parent


def edited(change: Callable[[list[str]], object]) -> Callable[[Path], None]:
    """Make a run and change the lines of its journal."""

    def prepare(folder: Path) -> None:
        journal = finished(folder) / "journal.jsonl"
        lines = journal.read_text().splitlines(keepends=True)
        change(lines)
        journal.write_text("".join(lines))

    return prepare


def images(folder: Path, *, change: Callable[[Path], object] = _nothing) -> None:
    """Make a folder of 36 images of 3 classes, and spoil something in it."""
    for label, name in enumerate(("cat", "dog", "owl")):
        (folder / "my" / name).mkdir(parents=True)
        for i in range(12):
            color = (80 * label, 20 * i, 250 - 20 * i)
            Image.new("RGB", (16, 16), color).save(folder / "my" / name / f"{i}.png")
    change(folder / "my")


def spoiled(change: Callable[[Path], object]) -> Callable[[Path], None]:
    """Return what makes a folder of images, and spoils it."""
    return lambda folder: images(folder, change=change)


_FOLDER = ["dataset=image_folder", "dataset.path=my", "dataset.image_size=16", *QUICK]
_TABLE = ["dataset=table", "dataset.path=my/labels.csv", "dataset.image_size=16", *QUICK]
_FEW = ("budget.initial=6", "budget.query=3", "budget.total=12")
_PERSON = [*_FOLDER, "oracle=csv", "model=cnn", "budget.query=4", "budget.total=40"]


def asked(fill: Callable[[str], str]) -> Callable[[Path], None]:
    """Make a run that waits for a person, and fill in its sheet."""

    def prepare(folder: Path) -> None:
        images(folder)
        for name in ("cat", "dog", "owl"):
            (folder / "my" / "train").mkdir(exist_ok=True)
            (folder / "my" / name).rename(folder / "my" / "train" / name)
        (folder / "my" / "unlabeled").mkdir()
        for i in range(12):
            picture = Image.new("RGB", (16, 16), (i, 200, 9 * i))
            picture.save(folder / "my" / "unlabeled" / f"{i}.png")
        if wait(start(folder, _PERSON, "first.txt")) != 0:
            raise RuntimeError((folder / "first.txt").read_text())
        (sheet,) = folder.glob("outputs/**/queries/round_01.csv")
        sheet.write_text(fill(sheet.read_text()))

    return prepare


def _renamed(name: str) -> Callable[[Path], None]:
    return spoiled(lambda root: (root / "cat").rename(root / name))


def _edit_metric(lines: list[str]) -> None:
    at = next(i for i, line in enumerate(lines) if '"event": "round"' in line)
    event = json.loads(lines[at])
    event["metrics"]["accuracy"] += 0.1
    lines[at] = json.dumps(event) + "\n"


def _swap(lines: list[str]) -> None:
    lines[2], lines[4] = lines[4], lines[2]


def _damage_checkpoint(folder: Path) -> None:
    run = finished(folder)
    journal = run / "journal.jsonl"
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:4]))
    weights = run / "checkpoints" / "last.ckpt"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)


holders: list["subprocess.Popen[str]"] = []


def _held(folder: Path) -> None:
    run = finished(folder)
    program = (
        "import sys, time; from pathlib import Path; from al_lightning.utils.locks import only_one\n"
        "with only_one(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(run / ".lock")], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    holders.append(holder)


def _file(name: str, content: bytes = b"") -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    return prepare


def _small_disk(folder: Path) -> None:
    (folder / "outputs").mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(folder / "outputs")]
    subprocess.run(command, check=True, capture_output=True)


def _bomb(root: Path) -> None:
    """A file of some bytes that says it is 60,000 x 60,000 pixels."""
    small = (root / "cat" / "0.png").read_bytes()
    size = (60_000).to_bytes(4, "big") * 2
    head = small[:16] + size + small[24:29]
    crc = zlib.crc32(head[12:29]).to_bytes(4, "big")
    (root / "cat" / "bomb.png").write_bytes(head + crc + small[33:])


def _thumbnails(root: Path) -> None:
    for place in (root, root / "cat"):
        (place / "@eaDir" / "0.png").mkdir(parents=True)
        shutil.copy(root / "cat/1.png", place / "@eaDir" / "0.png" / "SYNOPHOTO_THUMB_XL.png")


def _pipe_of_a_table(folder: Path) -> None:
    (folder / "my").mkdir()
    os.mkfifo(folder / "my" / "labels.csv")


def _pipe(folder: Path) -> None:
    journal = finished(folder) / "journal.jsonl"
    journal.unlink()
    os.mkfifo(journal)


def tabled(change: Callable[[str], str], name: str = "labels.csv") -> Callable[[Path], None]:
    """Return what makes a folder of images and its table, and spoils the text of the table."""

    def prepare(folder: Path) -> None:
        images(folder)
        files = [
            file for kind in ("cat", "dog", "owl") for file in (folder / "my" / kind).iterdir()
        ]
        rows = [
            f"{f.relative_to(folder / 'my')},{f.parent.name},,v{i // 3}\n"
            for i, f in enumerate(files)
        ]
        table = "".join(["file,label,split,group\n", *rows])
        (folder / "my" / name).write_text(change(table))

    return prepare


def _first_rows(*cells: str) -> Callable[[str], str]:
    """Return what ends the first rows of a table by other cells: label, split, group."""

    def change(text: str) -> str:
        header, *rows = text.splitlines()
        for i, cell in enumerate(cells):
            rows[i] = f"{rows[i].split(',')[0]},{cell}"
        return "\n".join([header, *rows, ""])

    return change


def _one_class(root: Path) -> None:
    shutil.rmtree(root / "cat")
    shutil.rmtree(root / "dog")


CASES = [
    Case("more to start from than in all", [*QUICK, "budget.initial=50", "budget.total=40"]),
    Case("more than the data set has", [*QUICK, "budget.initial=2000", "budget.total=all"]),
    Case("no query", [*QUICK, "budget.query=0"]),
    Case("one label to start from", [*QUICK, "budget.initial=1"]),
    Case("a number that is none", [*QUICK, "budget.query=many"]),
    Case("unknown key", [*QUICK, "budget.qeury=5"]),
    Case("unknown choice", [*QUICK, "strategy=margn"]),
    Case("unknown group", [*QUICK, "strateggy=margin"]),
    Case("wrong type: batch size", [*QUICK, "recipe.batch_size=big"]),
    Case("wrong type: seed", [*QUICK, "seed=one"]),
    Case("an argument its class does not know", [*QUICK, "+model.depth=3"]),
    Case("an optimiser without such an argument", [*QUICK, "+recipe.optimizer.momentums=3"]),
    Case("a network too deep for the images", ["model.filters=[[4],[4],[4],[4],[4],[4]]"]),
    Case("no thread", ["threads=0"]),
    Case(
        "class names beside the folders'",
        [*_FOLDER, "dataset.classes=[a,b]"],
        images,
    ),
    Case("a learning rate that diverges", [*_RUN, "recipe.optimizer.lr=1e30"]),
    Case(
        "the same, with a fallback that diverges too",
        [*_RUN, "recipe.optimizer.lr=1e30", "recipe.on_divergence=retry"],
    ),
    Case(
        "data that is not there",
        [*QUICK, "dataset=mnist", "data_root=nowhere", "dataset.download=false"],
    ),
    Case("no such folder", [*QUICK, "dataset=image_folder", "dataset.path=nowhere"]),
    Case("no path", [*QUICK, "dataset=image_folder"]),
    Case(
        "a truncated image",
        _FOLDER,
        spoiled(
            lambda r: (r / "cat/0.png").write_bytes((r / "cat/0.png").read_bytes()[:50]) and None
        ),
    ),
    Case("an empty file", _FOLDER, spoiled(lambda r: (r / "dog/3.png").write_bytes(b""))),
    Case(
        "text named as an image",
        _FOLDER,
        spoiled(lambda r: (r / "dog/3.png").write_text("hi")),
    ),
    Case("a decompression bomb", _FOLDER, spoiled(_bomb)),
    Case("a class without images", _FOLDER, spoiled(lambda r: (r / "emu").mkdir())),
    Case(
        "one class alone",
        _FOLDER,
        spoiled(_one_class),
    ),
    Case(
        "a picture in two classes",
        _FOLDER,
        spoiled(lambda r: shutil.copy(r / "cat/1.png", r / "dog/99.png")),
    ),
    Case(
        "a class in two spellings",
        _FOLDER,
        spoiled(lambda r: shutil.copytree(r / "cat", r / "Cat")),
    ),
    Case("no such table", [*_TABLE]),
    Case("a table that is a folder", [*_TABLE], _file("my/labels.csv/0.png")),
    Case("a table that is a pipe", [*_TABLE], _pipe_of_a_table),
    Case("a table that is an image", [*_TABLE], _file("my/labels.csv", b"\x89PNG\r\n\x1a\n\0\0")),
    Case("a table that is a workbook", [*_TABLE], _file("my/labels.csv", b"PK\x03\x04\0\0")),
    Case("an empty table", [*_TABLE], _file("my/labels.csv")),
    Case("a table of a header alone", [*_TABLE], tabled(lambda t: t.split("\n")[0])),
    Case("a table without its column", [*_TABLE], tabled(lambda t: t.replace("file", "name", 1))),
    Case("a table with missing files", [*_TABLE], tabled(lambda t: t.replace("cat/", "cats/"))),
    Case("a file in two rows", [*_TABLE], tabled(lambda t: t + t.split("\n")[1] + "\n")),
    Case("a file in two rows, of two classes", [*_TABLE], tabled(lambda t: t + "cat/0.png,dog\n")),
    Case("an unknown split", [*_TABLE], tabled(_first_rows("cat,tets,v"))),
    Case("a split for validation", [*_TABLE], tabled(_first_rows("cat,val,v"))),
    Case("a class in two spellings", [*_TABLE], tabled(_first_rows("Cat,,v"))),
    Case(
        "a class with blanks and accents",
        [*_TABLE, *_FEW],
        tabled(lambda t: t.replace("cat,,v1", "cat ,,v1")),
        0,
    ),
    Case("a group on both sides", [*_TABLE], tabled(_first_rows("cat,test,v0", "cat,train,v0"))),
    Case("a class of the test split alone", [*_TABLE], tabled(_first_rows("cow,test,v"))),
    Case("a test image without a label", [*_TABLE], tabled(_first_rows(",test,v"))),
    Case(
        "a table in another encoding",
        [*_TABLE],
        _file("my/labels.csv", b"file,label\nk\xe4se.png,a\n"),
    ),
    Case(
        "a comma without quotes", [*_TABLE], tabled(lambda t: t.replace("cat,,v0", "cat,,v0,x", 1))
    ),
    Case("Parquet that is damaged", [*_TABLE], _file("my/labels.csv", b"PAR1 and no more")),
    Case(
        "an address of no protocol", [*_TABLE], tabled(lambda t: t.replace("cat/", "nope://cat/"))
    ),
    Case(
        "an address without its package",
        [*_TABLE],
        tabled(lambda t: t.replace("cat/", "s3://cat/")),
    ),
    Case(
        "an address without a file", [*_TABLE], tabled(lambda t: t.replace("cat/", "memory://cat/"))
    ),
    Case("a column that is none", [*_TABLE, "dataset.columns={fle: image}"], tabled(str)),
    Case("unlabeled images, and nobody to ask", [*_FOLDER, *_BUDGET], asked(lambda text: text)),
    Case("a control character in the name of a class", _FOLDER, _renamed("c\x1bt")),
    Case("a class whose name is a formula", [*_FOLDER, *_FEW], _renamed("a$b$"), 0),
    Case("thumbnails of a NAS", [*_FOLDER, *_FEW], spoiled(_thumbnails), 0),
    Case(
        "PostScript named as an image",
        _FOLDER,
        spoiled(lambda r: Image.open(r / "dog/1.png").save(r / "dog/3.png", "EPS")),
    ),
    Case("a trainer that takes no step", [*_RUN, "+trainer.limit_train_batches=0"]),
    Case("a trainer that ends by the clock", [*_RUN, "+trainer.max_time=00:00:00:02"]),
    Case("a trainer that rehearses", [*_RUN, "+trainer.fast_dev_run=true"]),
    Case("a trainer that takes one batch", [*_RUN, "+trainer.overfit_batches=1"]),
    Case("a trainer that scores a part", [*_RUN, "+trainer.limit_predict_batches=1"]),
    Case(
        "a trainer that shuffles once",
        [*_RUN, "+trainer.reload_dataloaders_every_n_epochs=1"],
    ),
    Case("an accelerator that is not there", [*_RUN, "trainer.accelerator=tpu"]),
    Case("no model", [*_RUN, "model=null"]),
    Case("no budget", [*QUICK, "budget=null"]),
    Case("two strategies in one run", [*_RUN, "strategy=[margin,entropy]"]),
    Case("a journal that is a pipe", _RUN, _pipe),
    Case("a journal with an edited metric", _RUN, edited(_edit_metric)),
    Case("a journal with two lines swapped", _RUN, edited(_swap)),
    Case("a journal with a doubled line", _RUN, edited(lambda lines: lines.insert(3, lines[3]))),
    Case("a journal that lost a line", _RUN, edited(lambda lines: lines.pop(2))),
    Case("a journal that is no text", _RUN, edited(lambda lines: lines.insert(2, "\x00\x01\n"))),
    Case(
        "a journal whose last line was torn",
        _RUN,
        edited(lambda lines: lines.append(lines.pop()[:9])),
        0,
    ),
    Case("a checkpoint with a flipped bit", _RUN, _damage_checkpoint, 0),
    Case("another process in the folder", _RUN, _held),
    Case("an output folder that is a file", [*_RUN, "output_root=here"], _file("here")),
    Case("a cache that cannot be written", _RUN, _file("outputs/.cache"), 0),
    Case("a full disk", _RUN, _small_disk),
    Case("a sheet in another case", _PERSON, asked(lambda t: t.replace(",\n", ",CAT\n", 1)), 0),
    Case("a sheet with empty columns", _PERSON, asked(lambda t: t.replace("\n", ",,\n")), 0),
    Case("a sheet with an unknown class", _PERSON, asked(lambda t: t.replace(",\n", ",cow\n", 1))),
    Case(
        "a sheet with a changed id",
        _PERSON,
        asked(lambda t: "\n".join([t.split("\n")[0], "1" + t.split("\n")[1] + "cat"])),
    ),
    Case(
        "a sheet with a row twice",
        _PERSON,
        asked(lambda t: t + t.split("\n")[1] + "cat\n" + t.split("\n")[1] + "dog\n"),
    ),
    Case(
        "a sheet with files beside other ids",
        _PERSON,
        asked(lambda t: t.replace("unlabeled/", "unlabeled/x", 1).replace(",\n", ",cat\n")),
    ),
    Case("a sheet without its header", _PERSON, asked(lambda t: t.split("\n", 1)[1])),
    Case("a sheet in another encoding", _PERSON, asked(lambda t: t.replace(",\n", ",\x00\n", 1))),
]


def journals(folder: Path) -> dict[Path, bytes]:
    """Return the journals below a folder."""
    paths = folder.glob("outputs/**/journal.jsonl")
    return {path: path.read_bytes() for path in paths if path.is_file()}


def message(text: str) -> str:
    """Return what a user was told, on one line."""
    lines = [line.strip() for line in text.splitlines()]
    told = [line for line in lines if line and not line.startswith(_NOISE)]
    errors = [i for i, line in enumerate(told) if line.startswith("Error:")]
    warned = [line for line in told if "cannot be used" in line or "could not" in line]
    shown = told[errors[0] :] if errors else warned or told[-4:]
    return " / ".join(shown)[:420].replace("|", "\\|")


def main() -> None:
    """Play all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases with this in their names")
    options = parser.parse_args()
    cases = [case for case in CASES if options.only in case.name]
    bad = 0
    print("| input | exit | message | journal |\n| --- | --- | --- | --- |")
    for case in cases:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            try:
                case.prepare(folder)
            except subprocess.CalledProcessError:
                print(f"| {case.name} | - | (not tried: mounting is not allowed) | |")
                continue
            before = journals(folder)
            status = wait(start(folder, case.arguments))
            text = (folder / "log.txt").read_text()
            after = journals(folder)
            kept = all(
                after.get(path, b"").startswith(content[:-20]) for path, content in before.items()
            )
            left = (
                "none"
                if not after
                else "as it was"
                if after == before
                else "grew"
                if kept
                else "new"
            )
            shown = message(text.replace(name, "."))
            wrong = status != case.status or "Traceback" in text
            bad += wrong
            print(
                f"| {case.name}{' **WRONG**' if wrong else ''} | {status} | {shown} | {left} |",
                flush=True,
            )
            if case.prepare is _small_disk:
                time.sleep(0.2)
                subprocess.run(["umount", str(folder / "outputs")], check=False)
            while holders:
                holders.pop().kill()
    print(f"\n{len(cases)} cases, {bad} wrong")


if __name__ == "__main__":
    main()
