"""Damage a journal and a filled-in sheet at random: refused or read as before, never a traceback.

    python benchmarks/fuzz.py --mutations 2000

A mutated journal must be refused by a message that names file and line, or replay to events of the
whole one, from the first on: what was dropped is a torn end, and the run makes it again. A mutated
sheet must be refused by a message that names the file, or say what a plain CSV reader reads from it,
but for case, blanks and Unicode forms, and nothing that was not asked for.
"""

import argparse
import csv
import random
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from al_lightning import Journal, JournalError, Question, UsageError
from al_lightning.oracles.csv_sheet.sheet import read_sheet, sheet_text
from al_lightning.run.class_change import ClassChange
from al_lightning.run.image_change import ImageChange

CLASSES = ("cat", "dog", "brown bear")
FILES = {i: f"unlabeled/picture {i}.png" for i in range(3, 63, 3)}


def mutate(content: bytes, draw: random.Random) -> bytes:
    """Damage some bytes or some lines in one to three ways."""
    for _ in range(draw.randint(1, 3)):
        content = draw.choice(MUTATIONS)(content, draw)
    return content


def _at(content: bytes, draw: random.Random) -> int:
    return draw.randrange(len(content) + 1)


def flip_bit(content: bytes, draw: random.Random) -> bytes:
    """Flip one bit, as a disk does."""
    if not content:
        return content
    damaged = bytearray(content)
    damaged[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return bytes(damaged)


def write_byte(content: bytes, draw: random.Random) -> bytes:
    """Overwrite one byte by another that means something."""
    at = _at(content, draw)
    return (
        content[:at]
        + bytes([draw.choice(b'0123456789,;"{}[]\n\r\t \x00\xffab')])
        + content[at + 1 :]
    )


def insert(content: bytes, draw: random.Random) -> bytes:
    """Insert some bytes."""
    at = _at(content, draw)
    piece = draw.choice(
        [b"\n", b"\x00" * 5, b"1", b'"', b"NaN", b"\xef\xbb\xbf", b"cat", b"[[[[" * 99]
    )
    return content[:at] + piece + content[at:]


def delete(content: bytes, draw: random.Random) -> bytes:
    """Delete up to 40 bytes."""
    at = _at(content, draw)
    return content[:at] + content[at + draw.randint(1, 40) :]


def truncate(content: bytes, draw: random.Random) -> bytes:
    """Cut the end off, as a crash does."""
    return content[: _at(content, draw)]


def _by_lines(change: Callable[[list[bytes], random.Random], None]) -> Callable[..., bytes]:
    def mutation(content: bytes, draw: random.Random) -> bytes:
        lines = content.splitlines(keepends=True)
        if lines:
            change(lines, draw)
        return b"".join(lines)

    return mutation


def _drop(lines: list[bytes], draw: random.Random) -> None:
    del lines[draw.randrange(len(lines))]


def _double(lines: list[bytes], draw: random.Random) -> None:
    lines.insert(draw.randrange(len(lines) + 1), draw.choice(lines))


def _swap(lines: list[bytes], draw: random.Random) -> None:
    i, j = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]


def _edit_number(lines: list[bytes], draw: random.Random) -> None:
    at = draw.randrange(len(lines))
    digits = [i for i, byte in enumerate(lines[at]) if chr(byte).isdigit()]
    if digits:
        i = draw.choice(digits)
        lines[at] = lines[at][:i] + str(draw.randrange(10)).encode() + lines[at][i + 1 :]


MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [
    *(flip_bit, write_byte, insert, delete, truncate),
    *(_by_lines(change) for change in (_drop, _double, _swap, _edit_number)),
]


def ids(*values: int) -> torch.Tensor:
    """Return dataset ids."""
    return torch.tensor(values, dtype=torch.int64)


def write_journal(path: Path, *, project: bool = False) -> None:
    """A run of three rounds that waits for an answer, or a project in which all may change."""
    journal = Journal(path)
    journal.begin(
        {
            **({"project": True} if project else {}),
            "config": {"seed": 0, "recipe": {"lr": 0.003}},
            "config_hash": "0123456789abcdef",
            "versions": {"torch": "2.6.0"},
            "hardware": {"threads": 1},
            "classes": list(CLASSES),
            "data": {"train": 100, "test": 30, "fingerprint": "fedcba9876543210"},
        }
    )
    journal.record_labels(0, ids(90, 91), ids(0, 2), "validation")
    journal.record_labels(0, ids(1, 2, 4), ids(0, 1, 2), "initial")
    for index in range(3):
        result = {
            "round": index,
            "labels_bought": journal.pool.labels_bought,
            "metrics": {"accuracy": 0.5 + index / 10, "nll": 1.25},
            "per_class": {"recall": [0.25, 0.5, 0.75]},
            "seconds": {"fit": 1.0, "test": 0.5, "score": 0.25, "select": 0.125},
            "steps": 10,
        }
        journal.record_round(result)
        asked = ids(*range(10 * index + 10, 10 * index + 14))
        scores = torch.linspace(0.9, 0.1, 4)
        journal.record_question(Question(index + 1, "query", asked, 0, scores, asked % 3, scores))
        if project:
            _change(journal, index)
        if index < 2:  # the last question stays open
            journal.record_labels(index + 1, asked[:3], asked[:3] % 3, "query", skipped=asked[3:])


def _change(journal: Journal, index: int) -> None:
    """Let a project change in each of the ways there are; three classes stay."""
    journal.record_correction(ids(1), ids((index + 1) % 3), by="Ada")
    journal.record_setting("recipe.lr", 0.01 * (index + 1))
    journal.record_classes(ClassChange(added=[f"owl {index}"]))
    merged = {f"owl {index}": journal.classes[0]}
    journal.record_classes(ClassChange(merged=merged))
    size = 100 + 10 * index
    change = ImageChange(size + 10, 30, [5 + index], [5 + index - 1] if index else [], [2], 1, 99)
    journal.record_images(change)
    journal.record_labels(index + 1, ids(size), ids(1), "imported", by="Ada")


def judge_journal(path: Path, whole: Journal) -> str:
    """Say what became of a mutated journal."""
    try:
        events = Journal(path).events
    except JournalError as error:
        return "refused" if str(path) in str(error) and "line" in str(error) else "UNCLEAR REFUSAL"
    if list(events) == list(whole.events):
        return "identical"
    return (
        "torn end dropped" if list(events) == list(whole.events[: len(events)]) else "WRONG RESUME"
    )


def judge_sheet(path: Path) -> str:
    """Say what became of a mutated sheet."""
    try:
        filled = read_sheet(path, {i: [file] for i, file in FILES.items()}, CLASSES, ["skip"])
    except UsageError as error:
        return "refused" if str(path) in str(error) else "UNCLEAR REFUSAL"
    said = {**{i: CLASSES[label] for i, label in filled.labels.items()}}
    said |= dict.fromkeys(filled.skipped, "skip")
    return "read as it stands" if said == _plainly(path) else "MISREAD"


def _plainly(path: Path) -> dict[int, str]:
    """Return what Python's own reader makes of a sheet."""
    text = path.read_bytes().decode("utf-8-sig")
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    rows = csv.DictReader(text.splitlines(keepends=True), delimiter=separator)
    found = {}
    for row in rows:
        plain = {
            str(key).strip(): (value or "") for key, value in row.items() if isinstance(value, str)
        }
        if label := _folded(plain.get("label", "")):
            found[int(plain["id"])] = label
    return found


def _folded(label: str) -> str:
    """Return a name without what a person may write otherwise."""
    return " ".join(unicodedata.normalize("NFC", label).split()).casefold()


def main() -> None:
    """Mutate both, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        journals = {}
        for what in ("journal", "project"):
            path = folder / f"{what}.jsonl"
            write_journal(path, project=what == "project")
            journals[what] = Journal(path)
        rows = [
            {"id": i, "file": file, "predicted": "cat", "confidence": "0.5", "score": "0.25"}
            | {"label": ["cat", "dog", "brown bear", "skip", ""][i % 5]}
            for i, file in FILES.items()
        ]
        sheet = sheet_text(rows).encode()
        subjects: list[tuple[str, bytes, Callable[[Path], str]]] = [
            *(
                (what, whole.path.read_bytes(), partial(judge_journal, whole=whole))
                for what, whole in journals.items()
            ),
            ("sheet", sheet, judge_sheet),
        ]
        for what, content, judge in subjects:
            counts: Counter[str] = Counter()
            for number in range(options.mutations):
                path = folder / "mutated"
                path.write_bytes(mutate(content, draw))
                try:
                    counts[judge(path)] += 1
                except Exception as error:  # that there is none is what is measured
                    counts[f"TRACEBACK {type(error).__name__}: {error} (mutation {number})"] += 1
            print(f"{what}, {options.mutations} mutations:")
            for outcome, count in counts.most_common():
                print(f"  {count:6,}  {outcome}")


if __name__ == "__main__":
    main()
