import os
import subprocess
import tarfile
import time
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from al_lightning.utils.errors import UsageError
from study.archive import archive_bytes, pack, read_archive, unpack
from study.part import PlannedRun
from tests.study.tiny import PART, write_journal

RUNS = [*PART.runs(range(2))]


def test_what_is_finished_goes_into_the_archive_and_out_again(tmp_path: Path) -> None:
    archive, runs = tmp_path / "t.tar.xz", tmp_path / "runs"
    contents = {run.place: write_journal(runs, run) for run in RUNS[:2]}
    write_journal(runs, RUNS[2], finished=False)
    assert pack(PART, RUNS, runs, archive) == []
    assert read_archive(archive) == contents
    fresh = tmp_path / "fresh"
    assert unpack(PART, fresh, archive) == 2
    assert {run.place: run.journal(fresh).read_bytes() for run in RUNS[:2]} == contents
    assert unpack(PART, fresh, archive) == 0


def test_the_same_journals_make_the_same_bytes(tmp_path: Path) -> None:
    runs, later = tmp_path / "runs", tmp_path / "later"
    for run in RUNS:
        write_journal(runs, run)
    pack(PART, RUNS, runs, tmp_path / "one.tar.xz")
    for run in RUNS:
        run.folder(later).mkdir(parents=True)
        run.journal(later).write_bytes(run.journal(runs).read_bytes())
        run.journal(later).chmod(0o600)
        os.utime(run.journal(later), (time.time() - 1000,) * 2)
    pack(PART, RUNS[::-1], later, tmp_path / "other.tar.xz")
    one, other = ((tmp_path / f"{name}.tar.xz").read_bytes() for name in ("one", "other"))
    assert one == other
    with tarfile.open(tmp_path / "one.tar.xz") as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in tar} == {
            (0, 0, 0, "", "", 0o644)
        }


def test_any_tar_can_read_it(tmp_path: Path) -> None:
    content = write_journal(tmp_path, RUNS[0])
    pack(PART, RUNS, tmp_path, tmp_path / "t.tar.xz")
    subprocess.run(["tar", "xf", "t.tar.xz"], cwd=tmp_path, check=True)
    assert (tmp_path / "r1/random/seed=0/journal.jsonl").read_bytes() == content


def test_what_the_archive_has_stays(tmp_path: Path) -> None:
    archive = tmp_path / "t.tar.xz"
    first = write_journal(tmp_path / "here", RUNS[0])
    pack(PART, RUNS, tmp_path / "here", archive)
    second = write_journal(tmp_path / "there", RUNS[3])
    pack(PART, RUNS[3:], tmp_path / "there", archive)  # and a strategy that is planned no more
    assert read_archive(archive) == {RUNS[0].place: first, RUNS[3].place: second}


def test_of_two_that_differ_the_longer_stays_and_is_named(tmp_path: Path) -> None:
    archive, run = tmp_path / "t.tar.xz", RUNS[0]
    short = write_journal(tmp_path, run, rounds=2)
    pack(PART, RUNS, tmp_path, archive)
    other = write_journal(tmp_path, run, rounds=1)
    (note,) = pack(PART, RUNS, tmp_path, archive)
    assert note.startswith("t random seed=0 differs from the archive's, which is not replaced: ")
    assert read_archive(archive)[run.place] == short != other
    long = write_journal(tmp_path, run, rounds=3)
    (note,) = pack(PART, RUNS, tmp_path, archive)
    assert "differs from the archive's, and is replaced" in note
    assert read_archive(archive)[run.place] == long


def test_unpacking_replaces_no_journal_that_is_as_long(tmp_path: Path) -> None:
    archive, run = tmp_path / "t.tar.xz", RUNS[0]
    whole = write_journal(tmp_path, run, rounds=2)
    pack(PART, RUNS, tmp_path, archive)
    write_journal(tmp_path, run, rounds=1, finished=False)
    assert unpack(PART, tmp_path, archive) == 1
    assert run.journal(tmp_path).read_bytes() == whole
    longer = write_journal(tmp_path, run, rounds=3, finished=False)
    assert unpack(PART, tmp_path, archive) == 0
    assert run.journal(tmp_path).read_bytes() == longer


def test_runs_of_an_earlier_revision_leave_the_archive(tmp_path: Path) -> None:
    archive = tmp_path / "t.tar.xz"
    for run in RUNS:
        write_journal(tmp_path, run)
    pack(PART, RUNS, tmp_path, archive)
    later = replace(PART, strategy_revisions={"random": 2})
    run = PlannedRun(later, "random", 0)
    content = write_journal(tmp_path, run)
    pack(later, [*later.runs(range(2))], tmp_path, archive)
    places = {str(place) for place in read_archive(archive)}
    assert places == {"r1/random-r2/seed=0", "r1/passive/seed=0", "r1/passive/seed=1"}
    assert read_archive(archive)[run.place] == content


def test_journals_of_other_overrides_and_damaged_ones_are_not_packed(tmp_path: Path) -> None:
    archive = tmp_path / "t.tar.xz"
    write_journal(tmp_path, RUNS[0], overrides=["strategy=random", "recipe.epochs=9"])
    content = write_journal(tmp_path, RUNS[1])
    RUNS[1].journal(tmp_path).write_bytes(content.replace(b'"accuracy": 0.5', b'"accuracy": 0.6'))
    (note,) = pack(PART, RUNS, tmp_path, archive)
    assert "t passive seed=0 is not packed" in note
    assert "its digest differs" in note
    assert not archive.exists()


@pytest.mark.parametrize("cut", [0, 50, -20])
def test_a_damaged_archive_is_refused_by_name(tmp_path: Path, cut: int) -> None:
    archive = tmp_path / "t.tar.xz"
    archive.write_bytes(archive_bytes({RUNS[0].place: b"{}\n" * 100})[:cut])
    with pytest.raises(UsageError, match=r"t\.tar\.xz is damaged: .* Take it from git again"):
        read_archive(archive)


@pytest.mark.parametrize("place", ["../../../evil", "r1/../seed=0", "r1/seed=0"])
def test_an_archive_cannot_write_anywhere_else(tmp_path: Path, place: str) -> None:
    archive = tmp_path / "t.tar.xz"
    archive.write_bytes(archive_bytes({PurePosixPath(place): b"{}\n"}))
    with pytest.raises(UsageError, match="is no journal of a run"):
        unpack(PART, tmp_path / "runs", archive)
