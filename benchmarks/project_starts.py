"""Times the starts of a project of many files; a part of living_project.py."""

import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from functools import partial
from pathlib import Path
from typing import Any

from al_lightning import Journal
from al_lightning.callbacks.loop_callback import LoopCallback
from al_lightning.data import ImageFolder
from al_lightning.data.project.project_source import ProjectSource
from al_lightning.loop.project_changes import record_changes, write_manifest


def tiny_png(number: int) -> bytes:
    """Return a PNG of 4 x 4 pixels of four grays, another one for each number."""
    grays = bytes(30 + 60 * (number >> 2 * place & 3) for place in range(16))
    rows = b"".join(b"\0" + grays[4 * row : 4 * row + 4] for row in range(4))
    chunks = b""
    for name, content in (
        (b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 1)),
        (b"IEND", b""),
    ):
        sealed = name + content
        chunks += struct.pack(">I", len(content)) + sealed + struct.pack(">I", zlib.crc32(sealed))
    return b"\x89PNG\r\n\x1a\n" + chunks


def write_files(folder: Path, numbers: range) -> None:
    """Write tiny images, 5,000 a folder."""
    for number in numbers:
        place = folder / "unlabeled" / f"{number // 5000:03}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:07}.png").write_bytes(tiny_png(number))


def start_in_process(folder: Path) -> dict[str, float]:
    """Start a project: scan, manifest, cache of decoded images; return the seconds of it."""
    clock = time.perf_counter()
    journal = Journal(folder / "run" / "journal.jsonl")
    source = ImageFolder(
        *(str(folder / "images"),),
        image_size=8,
        channels=1,
        classes=["a", "b"],
        storage="disk",
        cache_dir=str(folder / "cache"),
    )
    data = ProjectSource(source, folder / "run", journal).load()
    assert data.update is not None
    change = data.update.change
    facts: dict[str, Any] = {"train": len(data.train), "manifest": change.manifest}
    facts |= {"manifest_sha256": change.manifest_sha256}
    begin = {"config": {}, "config_hash": "", "versions": {}, "hardware": {}, "project": True}
    start = {**begin, "classes": [*data.classes], "data": facts}
    if journal.start is None:
        write_manifest(data.update)
        journal.begin(start)
    else:
        record_changes(journal, start, data, (), LoopCallback())
    return {"seconds": time.perf_counter() - clock}


def restarts(count: int) -> tuple[str, dict[str, Any]]:
    """Time the starts of a project of many files; return the figures as `tell` does."""
    with tempfile.TemporaryDirectory() as name:
        folder, found = Path(name), {}
        write_files(folder / "images", range(count))
        start = partial(start_in_process, folder)
        found["first"] = start()["seconds"]
        found["nothing new"] = statistics.median(start()["seconds"] for _ in range(3))
        times = []
        for i in range(3):
            write_files(folder / "images", range(count + 1000 * i, count + 1000 * (i + 1)))
            times.append(start()["seconds"])
        found["1,000 new"] = statistics.median(times)
        shutil.rmtree(folder / "run")
        command = [
            *(sys.executable, "-m", "al_lightning", "project=many", "dataset=image_folder"),
            *(
                "dataset.path=images",
                "dataset.image_size=32",
                "dataset.classes=[a,b]",
                "oracle=csv",
            ),
            *("model=cnn", "threads=1", "budget.initial_policy=uniform"),
        ]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        for what, new in (("first", 0), ("nothing new", 0), ("1,000 new", 1000)):
            write_files(folder / "images", range(count + 3000, count + 3000 + new))
            clock = time.perf_counter()
            subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment)
            found[f"{what}, whole command"] = time.perf_counter() - clock
        rounded = {what: round(seconds, 2) for what, seconds in found.items()}
        print(json.dumps(rounded, indent=1), flush=True)  # removing the files takes a while
    return "restart", {"files": count, **rounded}
