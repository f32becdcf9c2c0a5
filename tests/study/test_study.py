"""The study as a whole: small ones are run here, each run in a process of its own."""

import os
import shlex
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from al_lightning.run.journal import Journal
from al_lightning.utils.locks import only_one
from study import workers
from study.__main__ import main
from study.go_on import make_job
from study.part import PlannedRun
from study.study import ROOT, Study, beside
from study.time_left import TimeLeft
from tests.forks import Fork
from tests.study.test_workers import wait_for
from tests.study.tiny import ENDLESS, PART, write_journal

REPOSITORY = Path(__file__).parents[2]
PLAN = [*PART.runs(range(1))]
RANDOM, PASSIVE = PLAN


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setattr(workers, "_NICE", 0)  # else other tests would go first
    return tmp_path


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be started."""

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError(arguments)

    monkeypatch.setattr(workers, "_Process", refuse)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def journals(plan: Sequence[PlannedRun] = PLAN) -> list[bytes]:
    return [run.journal(ROOT).read_bytes() for run in plan]


@pytest.mark.slow
def test_a_study_runs_is_packed_and_goes_on_from_its_archive_on_a_fresh_clone(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = [PASSIVE]
    assert main(["--jobs", "2"], plan) == 0
    told = lines(capsys)
    assert told[0].startswith("0 of 1 runs are finished; the others in 2 processes at a time")
    assert told[2].startswith("t passive seed=0: accuracy 0.")
    assert told[2].endswith("; 1/1 of the part, 1/1 in all, 0 s left")
    assert {*Study(plan).seconds} == {PASSIVE}
    made = journals(plan)
    assert Journal(PASSIVE.journal(ROOT)).pool.labeled_ids.tolist() == [*range(1297)]
    assert "accuracy" in (ROOT / "t/r1/passive/seed=0.log").read_text()

    (folder / "study").mkdir()
    assert main(["--pack"], plan) == 0
    assert lines(capsys)[-1].endswith("kB of 5,000 kB")
    packed = (folder / "study/journals/t.tar.xz").read_bytes()

    (folder / "outputs").rename(folder / "elsewhere")
    monkeypatch.setattr(workers, "_Process", None)
    assert main([], plan) == 0
    unpacked = "part t: 1 journals unpacked from study/journals/t.tar.xz"
    assert lines(capsys) == [unpacked, "All 1 runs are finished"]
    assert journals(plan) == made
    assert main(["--pack"], plan) == 0
    assert (folder / "study/journals/t.tar.xz").read_bytes() == packed


def states(group: int) -> set[str]:
    """The states of the processes of a group, as Linux names them: T is stopped."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended since
            state, _, its_group, *_ = path.read_text().rpartition(")")[2].split()
            found |= {state} if int(its_group) == group else set()
    return found


@contextmanager
def endless_study() -> Iterator[Fork]:
    """A study in a process group of its own, whose run ends when it is told to."""
    process = Fork("tests.study.tiny:run_endless", folder=Path.cwd())
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_study_is_paused_as_a_whole_and_leaves_no_process_when_terminated() -> None:
    (run,) = ENDLESS.runs(range(1))
    with endless_study() as process:
        wait_for(run.journal(ROOT).exists)
        os.killpg(process.pid, signal.SIGSTOP)
        wait_for(lambda: states(process.pid) == {"T"})
        os.killpg(process.pid, signal.SIGCONT)
        os.kill(process.pid, signal.SIGTERM)
        ended = process.wait()
        assert ended.returncode == 128 + signal.SIGTERM
        assert ended.stderr == "Stopped. The same command goes on from here.\n"
        assert states(process.pid) == set()
    assert "Interrupted." in make_job(run, ROOT).log.read_text()


def test_a_run_that_fails_is_named_left_out_and_tried_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    part = replace(PART, strategies=("no_such", "random"))
    plan = [*part.runs(range(1))]
    write_journal(ROOT, plan[1])
    for _ in range(2):
        assert main(["--jobs", "1"], plan) == 1
        told = lines(capsys)
        assert told[0].startswith(
            "1 of 2 runs are finished; the others in 1 process at a time, 4 s"
        )
        assert told[2].startswith("t no_such seed=0: exit status 1, not finished; 1/2 of the part")
        log = Path("outputs/study/t/r1/no_such/seed=0.log")
        assert (
            told[3] == f"Failed: t no_such seed=0, see {log}; the same command tries it once more"
        )
        assert "no_such" in log.read_text()


@pytest.mark.usefixtures("no_process")
def test_a_journal_alone_is_a_finished_run(capsys: pytest.CaptureFixture[str]) -> None:
    for run in PLAN:
        write_journal(ROOT, run)
    assert main([], PLAN) == 0
    assert lines(capsys) == ["All 2 runs are finished"]


@pytest.mark.usefixtures("no_process")
def test_a_run_by_other_overrides_is_named_and_left_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_journal(ROOT, PASSIVE)
    write_journal(ROOT, RANDOM, overrides=["recipe.epochs=7"])
    before = journals()
    assert main([], PLAN) == 0
    told = lines(capsys)
    assert told[0].startswith(
        "Note: t random seed=0 was made by other overrides than study/parts.py"
    )
    assert told[1] == "1 of 2 runs are finished, and no other can be made"
    assert journals() == before


def test_defaults_that_changed_between_runs_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    write_journal(ROOT, RANDOM, config={"recipe": {"epochs": 32}})
    write_journal(ROOT, PASSIVE, config={"recipe": {"epochs": 20}})
    assert main(["--list"], PLAN) == 0
    assert lines(capsys)[-1].startswith(
        "Note: The finished runs of part t differ in recipe.epochs:"
    )


def test_a_later_revision_is_run_again_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for run in PLAN:
        write_journal(ROOT, run)
    changed = replace(PART, strategy_revisions={"passive": 2})
    assert [run.strategy for run in Study([*changed.runs(range(1))]).left] == ["passive"]
    assert Study([*replace(PART, revision=2).runs(range(1))]).records == {}
    assert Study(PLAN).left == []


def test_the_list_says_how_far_each_part_is(capsys: pytest.CaptureFixture[str]) -> None:
    write_journal(ROOT, RANDOM)
    other = replace(PART, name="u", question="Why?", revision=3)
    assert main(["--list", "--jobs", "1"], [*PLAN, *other.runs(range(2))]) == 0
    assert lines(capsys) == [
        "t                1 of   2 runs, revision 1, 4 s left",
        "    Does it work?",
        "u                0 of   4 runs, revision 3, 4 runs of parts not yet begun",
        "    Why?",
    ]


def test_the_list_knows_what_the_archives_have(capsys: pytest.CaptureFixture[str]) -> None:
    write_journal(ROOT, RANDOM)
    assert main(["--pack"], PLAN) == 0
    shutil.rmtree(ROOT)
    assert main(["--list", "--jobs", "1"], PLAN) == 0
    assert lines(capsys)[-2] == "t                1 of   2 runs, revision 1, 4 s left"
    shutil.rmtree(ROOT)
    with only_one(ROOT / PART.name / ".study.lock"):  # another process makes runs there
        assert main(["--list", "--jobs", "1"], PLAN) == 0
    assert lines(capsys)[0].startswith("t                0 of   2 runs")


def test_what_a_run_took_here_counts_before_what_its_journal_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = [*PART.runs(range(3))]
    for run in plan[:4]:
        write_journal(ROOT, run)
    assert Study(plan).time_left(1) == TimeLeft(3.75 + 3.75, 0)
    beside(plan[0], ROOT, ".seconds").write_text("100.0\n")
    # The passive runs come from elsewhere, so that the part's 100 s count.
    assert Study(plan).time_left(1) == TimeLeft(200.0, 0)
    beside(plan[2], ROOT, ".seconds").write_text("30.0\n")
    assert Study(plan).time_left(2) == TimeLeft(30.0, 0)


def test_a_part_is_chosen_by_its_name_or_by_its_letter(capsys: pytest.CaptureFixture[str]) -> None:
    plan = [run for name in ("c_one", "c_two", "cc") for run in replace(PART, name=name).runs([0])]
    for chosen, names in (("c", ["c_one", "c_two"]), ("cc", ["cc"]), ("c_two", ["c_two"])):
        assert main(["--list", "--part", chosen], plan) == 0
        assert [line.split()[0] for line in lines(capsys)[::2]] == names
    assert main(["--list", "--part", "x"], plan) == 1
    assert capsys.readouterr().err == "Error: There is no part x, but c_one, c_two, cc\n"


def test_something_must_be_run_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--jobs", "0"], PLAN)
    assert "argument --jobs: must be 1 or more" in capsys.readouterr().err


def test_the_commands_of_what_is_left_are_for_a_shell(capsys: pytest.CaptureFixture[str]) -> None:
    part = replace(PART, overrides=("budget.query=[5,9]", *PART.overrides))
    finished, *left = part.runs(range(2))
    write_journal(ROOT, finished)
    assert main(["--pack"], [finished]) == 0
    shutil.rmtree(ROOT)
    capsys.readouterr()
    assert main(["--commands"], [finished, *left]) == 0
    printed = capsys.readouterr()
    assert "1 journals unpacked" in printed.err
    words = [shlex.split(line) for line in printed.out.splitlines()]
    assert [line[:1] + line[2:] for line in words] == [
        ["OMP_NUM_THREADS=1", "-m", "al_lightning", *run.arguments(ROOT)] for run in left
    ]
    assert "'budget.query=[5,9]'" in printed.out


def test_two_processes_do_not_make_the_same_runs(capsys: pytest.CaptureFixture[str]) -> None:
    from al_lightning.utils.locks import only_one  # noqa: PLC0415

    with only_one(ROOT / "t" / ".study.lock"):
        assert main([], PLAN) == 1
    assert "Error: Part t is being run by process" in capsys.readouterr().err
