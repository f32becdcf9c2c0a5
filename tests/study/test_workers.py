import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

import pytest

from al_lightning.utils.interrupts import Interrupted
from study.workers import Ended, Job, run_side_by_side
from tests.background import DEADLINE, Background


def python(folder: Path, name: str, code: str) -> Job[str]:
    return Job(name, [sys.executable, "-S", "-c", code], folder / "logs" / f"{name}.log")


def wait_for(happened: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def statuses(ends: Iterator[Ended[str]]) -> dict[str, int]:
    return {end.job.about: end.status for end in ends}


def test_seconds_are_those_from_start_to_end(tmp_path: Path) -> None:
    job = python(tmp_path, "job", "import time; time.sleep(.5)")
    began = time.monotonic()
    (end,) = run_side_by_side([job], 1)
    assert 0.5 <= end.seconds <= time.monotonic() - began


def test_each_job_ends_with_its_status_and_its_log(tmp_path: Path) -> None:
    jobs = [python(tmp_path, str(i), f"print('job {i}'); raise SystemExit({i})") for i in range(4)]
    assert statuses(run_side_by_side(jobs, 2)) == {"0": 0, "1": 1, "2": 2, "3": 3}
    assert (tmp_path / "logs/2.log").read_text() == "job 2\n"
    assert statuses(run_side_by_side(jobs[2:3], 2)) == {"2": 2}
    assert (tmp_path / "logs/2.log").read_text() == "job 2\njob 2\n"


def test_jobs_run_side_by_side(tmp_path: Path) -> None:
    code = (
        "import pathlib, time\nhere = pathlib.Path({here!r})\n(here / {own!r}).touch()\n"
        "while not (here / {other!r}).exists(): time.sleep(.01)\n"
    )
    jobs = [
        python(tmp_path, own, code.format(here=str(tmp_path), own=own, other=other))
        for own, other in ("ab", "ba")
    ]
    assert statuses(run_side_by_side(jobs, 2)) == {"a": 0, "b": 0}


def test_no_more_run_side_by_side_than_are_wanted(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    code = f"""
import time
for sign in "+-":
    with open({str(seen)!r}, "a") as file:
        file.write(sign)
    time.sleep(.05)
"""
    jobs = [python(tmp_path, str(index), code) for index in range(5)]
    assert set(statuses(run_side_by_side(jobs, 2)).values()) == {0}
    running = [*accumulate(1 if sign == "+" else -1 for sign in seen.read_text())]
    assert len(running) == 10
    assert max(running) <= 2


def test_a_job_has_one_thread_lowest_priority_and_the_same_process_group(tmp_path: Path) -> None:
    nice = min(19, os.nice(0) + 19)
    code = "import os; print(os.nice(0), os.getpgrp(), os.environ['OMP_NUM_THREADS'])"
    assert statuses(run_side_by_side([python(tmp_path, "job", code)], 1)) == {"job": 0}
    assert (tmp_path / "logs/job.log").read_text() == f"{nice} {os.getpgrp()} 1\n"


ORDERLY = """
import pathlib, signal, sys, time
def end(number, frame):
    print("ends in order", flush=True)
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
pathlib.Path({begun!r}).touch()
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_all_jobs_end_and_begins_no_other(
    tmp_path: Path, number: signal.Signals
) -> None:
    begun = [tmp_path / "a", tmp_path / "b"]
    jobs = [python(tmp_path, path.name, ORDERLY.format(begun=str(path))) for path in begun]
    jobs.append(python(tmp_path, "never", "print('begun')"))

    def stop() -> None:
        wait_for(lambda: all(path.exists() for path in begun))
        os.kill(os.getpid(), number)

    handler, stopper = signal.getsignal(number), Background(stop)
    with pytest.raises(Interrupted) as caught:
        statuses(run_side_by_side(jobs, 2))
    stopper.end()
    assert caught.value.signal == number
    assert [(tmp_path / f"logs/{name}.log").read_text() for name in "ab"] == [
        "ends in order\n",
        "ends in order\n",
    ]
    assert not (tmp_path / "logs/never.log").exists()
    assert signal.getsignal(number) == handler


def test_ctrl_c_of_a_terminal_is_left_to_this_process(tmp_path: Path) -> None:
    code = "import signal; print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)"
    statuses(run_side_by_side([python(tmp_path, "job", code)], 1))
    assert (tmp_path / "logs/job.log").read_text() == "True\n"


def test_a_second_signal_kills(tmp_path: Path) -> None:
    deaf = "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    deaf += f"pathlib.Path({str(tmp_path / 'begun')!r}).touch(); time.sleep(600)"

    def stop() -> None:
        wait_for((tmp_path / "begun").exists)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    stopper = Background(stop)
    with pytest.raises(Interrupted):
        statuses(run_side_by_side([python(tmp_path, "job", deaf)], 1))
    stopper.end()


def test_jobs_end_with_whoever_reads_no_further(tmp_path: Path) -> None:
    jobs = [
        python(tmp_path, "short", "pass"),
        python(tmp_path, "long", ORDERLY.format(begun=str(tmp_path / "begun"))),
    ]
    ended = run_side_by_side(jobs, 2)
    assert next(ended).job.about == "short"
    ended.close()  # type: ignore[attr-defined]
