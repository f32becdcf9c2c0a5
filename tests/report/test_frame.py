import re
import sys
from pathlib import Path

import pytest

from al_lightning import report
from al_lightning.report.study.grouping import build_study
from al_lightning.report.tables.tidy import tidy_scores, to_tidy_csv
from al_lightning.utils.errors import UsageError
from tests.report.helpers import a_study, write_runs

RUNS = a_study({"random": 0.0, "margin": 0.06}, seeds=2, passive=0.9)
DOCS = Path(__file__).parents[2] / "docs" / "comparing.md"


def test_runs_and_their_report_give_the_same_frame(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    write_runs(tmp_path / "runs", RUNS)
    frame = report.load(tmp_path / "runs" / "toys", tmp_path / "runs" / "toys" / "cnn")
    assert list(frame.columns) == ["setting", "strategy", "seed", "labels", "metric", "value"]
    assert len(frame) == 2 * (2 * 2 * 4 + 2)  # metrics, strategies, seeds, rounds, and the baseline
    for place in ("sweep/report", "sweep"):
        (tmp_path / "sweep" / "report").mkdir(parents=True, exist_ok=True)
        text = to_tidy_csv(tidy_scores(build_study(RUNS)))
        (tmp_path / "sweep" / "report" / "results.csv").write_text(text, encoding="utf-8")
        pd.testing.assert_frame_equal(report.load(str(tmp_path / place)), frame)


def test_runs_go_before_what_an_earlier_report_said_of_them(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    write_runs(tmp_path, RUNS[:1])
    (tmp_path / "results.csv").write_text("of yesterday", encoding="utf-8")
    assert len(report.load(tmp_path)) == 8


def test_a_damaged_run_is_left_out_with_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    write_runs(tmp_path, RUNS[:1])
    (tmp_path / "journal.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.warns(UserWarning, match=r"A run is left out: .*journal.jsonl"):
        assert len(report.load(tmp_path)) == 8


def test_nothing_to_load_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    with pytest.raises(UsageError, match=f"neither a run nor a report in {tmp_path}"):
        report.load(tmp_path)
    (tmp_path / "journal.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="line 1"):
        report.load(tmp_path)
    (tmp_path / "results.csv").write_text("a,b\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"results.csv holds no scores of a report: line 1"):
        report.load(tmp_path)


def test_without_pandas_the_message_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match=r'pip install "al-lightning\[pandas\]".*results.csv'):
        report.load(tmp_path)


def test_the_lines_in_the_docs_draw_a_curve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pandas")
    (block,) = re.findall(
        r"^```python\n(from al_lightning import report\n.*?)^```",
        DOCS.read_text(encoding="utf-8"),
        re.M | re.S,
    )
    write_runs(tmp_path / "outputs", RUNS)
    monkeypatch.chdir(tmp_path)
    known: dict[str, object] = {}
    exec(block, known)
    axes = known["means"].plot()  # type: ignore[attr-defined]
    drawn = {line.get_label(): line.get_ydata().tolist() for line in axes.get_lines()}
    # Of random: 0.5 + 0.1 a round, + 0.01 a seed; margin is 0.06 above from round 1 on.
    assert drawn["random"] == pytest.approx([0.505, 0.605, 0.705, 0.805], abs=1e-9)
    assert drawn["margin"] == pytest.approx([0.505, 0.665, 0.765, 0.865], abs=1e-9)
    assert (tmp_path / "curves.png").stat().st_size > 1000
