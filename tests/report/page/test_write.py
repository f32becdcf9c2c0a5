import csv
import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from al_lightning.report.figures import gallery
from al_lightning.report.page import write
from al_lightning.report.page.target import digest
from al_lightning.report.page.write import Report, write_report
from al_lightning.utils.errors import UsageError
from tests.report.helpers import a_run, a_study, write_run, write_runs

STUDY = a_study({"random": 0.0, "margin": 0.06}, passive=0.9)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Journals: a small study, a damaged one, and one that makes no pair."""
    root = write_runs(tmp_path_factory.mktemp("runs"), STUDY)
    (write_run(root, a_run(folder="damaged")) / "journal.jsonl").write_text(
        "{}\n", encoding="utf-8"
    )
    write_run(root, a_run("margin", 0, start="elsewhere", folder="odd"))
    return root


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports") / "deep" / "report"


@pytest.fixture(scope="module")
def report(root: Path, target: Path) -> Report:
    return write_report([root], target)


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "to_png", lambda figure: b"pixels")
    monkeypatch.setattr(gallery, "to_svg", lambda figure: "<svg/>")


def test_it_says_what_it_found(report: Report, root: Path, target: Path) -> None:
    assert report.verdict.startswith(
        "On toys with the cnn, margin beats random in AUBC over [10, 40] labels, 3 seeds: by 5.0 points"
    )
    assert report.page == target / "report.html"
    damaged, odd = report.problems
    assert damaged.startswith(f"{root / 'damaged' / 'journal.jsonl'}, line 1:")
    assert odd == (
        f"{root / 'odd'} is left out: it starts from other labels than most runs of seed 0, "
        "so it cannot be paired"
    )
    assert [analysis.leaders for analysis in report.analyses] == [["margin"]]


def test_everything_is_there(report: Report, target: Path) -> None:
    files = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    named = json.loads((target / "report.json").read_text(encoding="utf-8"))["files"]
    assert sorted(files) == named
    assert {"report.html", "report.json", "figures/accuracy.svg", "figures/accuracy.png"} <= files
    for name in (
        "against_reference",
        "final_scores",
        "label_savings",
        "penalties",
        "runs",
        "times",
    ):
        assert {f"tables/{name}.{end}" for end in ("csv", "md", "tex")} <= files
    assert all((target / name).stat().st_size > 0 for name in files)


def test_the_page_stands_alone_with_all_its_figures(report: Report) -> None:
    html = report.page.read_text(encoding="utf-8")
    assert "http" not in html
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    referred = re.findall(r'href="#([^"]+)"', html) + re.findall(r"url\(#([^)]+)\)", html)
    assert set(referred) <= set(ids)
    drawn = re.findall(r"<svg .*?</svg>", html, re.DOTALL)
    assert len(drawn) == 7
    for svg in drawn:
        ElementTree.fromstring(svg)


def test_numbers_for_programs_are_those_of_the_page(report: Report, target: Path) -> None:
    facts = json.loads((target / "report.json").read_text(encoding="utf-8"))
    (setting,) = facts["settings"]
    assert "\n- ".join(setting["verdict"]) == report.verdict
    assert (setting["can_be_best"], setting["readings"]) == (["margin"], {"margin": "better"})
    assert setting["curves"]["accuracy"]["margin"]["mean"] == pytest.approx(
        [0.51, 0.67, 0.77, 0.87]
    )
    assert setting["scores"]["aubc"]["random"] == pytest.approx(
        {"0": 0.65, "1": 0.66, "2": 0.67}, abs=0.001
    )
    assert facts["penalties"]["names"] == ["random", "margin"]
    assert len(setting["left_out"]) == 1
    assert len(facts["problems"]) == 1
    with (target / "tables" / "against_reference.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["difference"]) == pytest.approx(0.05)
    records = setting["tables"]["against_reference"]
    assert [record["aubc"] for record in records] == [float(row["aubc"]) for row in rows]


def test_the_same_journals_give_the_same_bytes(
    root: Path, report: Report, target: Path, tmp_path: Path
) -> None:
    write_report([root / "toys", root, root / "toys" / "cnn"], tmp_path)
    for path in target.rglob("*.*"):
        assert (tmp_path / path.relative_to(target)).read_bytes() == path.read_bytes(), path


def test_what_an_earlier_report_left_is_removed_and_nothing_else(
    no_figures: None, tmp_path: Path
) -> None:
    runs, target = tmp_path / "runs", tmp_path / "report"
    write_runs(runs, STUDY)
    write_report([runs], target)
    (target / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "outside.txt").write_text("mine", encoding="utf-8")
    facts = json.loads((target / "report.json").read_text(encoding="utf-8"))
    for name in ("notes.txt", "../outside.txt", str(tmp_path / "outside.txt"), "figures"):
        facts["digests"][name] = digest(b"mine")
    (target / "report.json").write_text(json.dumps(facts), encoding="utf-8")
    shutil.rmtree(runs / "toys" / "cnn" / "random")
    shutil.rmtree(runs / "toys" / "cnn" / "passive")
    write_report([runs], target)
    assert not (target / "tables" / "label_savings.csv").exists()
    assert not (target / "figures" / "difference.svg").exists()
    assert (target / "tables" / "final_scores.csv").exists()
    assert (target / "notes.txt").exists()
    assert (tmp_path / "outside.txt").exists()


def test_a_failure_leaves_the_old_page(
    no_figures: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, target = write_run(tmp_path, a_run()), tmp_path / "report"
    write_report([runs], target)
    before = (target / "report.html").read_bytes()

    def fail(page: Any) -> str:
        raise RuntimeError("no template")

    with monkeypatch.context() as patch:
        patch.setattr(write, "render", fail)
        with pytest.raises(RuntimeError, match="no template"):
            write_report([runs], target, "New")
    assert (target / "report.html").read_bytes() == before
    assert not list(target.rglob(".*"))
    write_report([runs], target, "New")
    assert "<h1>New</h1>" in (target / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "old", ["", "[]", "{}", '{"digests": 3}', '{"digests": {"a": 3}}', "\x00", "[" * 9999]
)
def test_a_foreign_report_json_is_replaced(no_figures: None, tmp_path: Path, old: str) -> None:
    run, target = write_run(tmp_path, a_run()), tmp_path / "report"
    target.mkdir()
    (target / "report.json").write_text(old, encoding="utf-8")
    write_report([run], target)
    assert json.loads((target / "report.json").read_text(encoding="utf-8"))["schema"] == 1


def test_several_settings_have_files_of_their_own(no_figures: None, tmp_path: Path) -> None:
    for dataset in ("Some data!", "some_data"):
        write_run(tmp_path / "runs", a_run(dataset=dataset, folder=dataset.replace("!", "")))
    report = write_report([tmp_path / "runs"], tmp_path / "report")
    assert len(report.verdict.split("\n\n")) == 2
    figures = {path.name for path in (tmp_path / "report" / "figures").iterdir()}
    assert {"some-data-with-cnn-accuracy.svg", "some-data-with-cnn-2-accuracy.svg"} <= figures
    assert "Active learning in 2 settings" in report.page.read_text(encoding="utf-8")


def test_the_trials_of_a_search_are_one_table(no_figures: None, tmp_path: Path) -> None:
    for k in range(20):
        config = {"recipe": {"lr": k / 100}}
        run = a_run("margin", 0, (0.5, 0.6 + k / 100), (10, 20), validation=5, config=config)
        write_run(tmp_path / "runs", replace(run, folder=Path(f"trial-{k}")))
    report = write_report([tmp_path / "runs"], tmp_path / "report")
    assert report.verdict.startswith(
        "On toys with the cnn, 20 trials of margin differ in recipe.lr. The best by AUBC of the "
        "accuracy on validation labels over [10, 20] labels is recipe.lr=0.19:"
    )
    assert len(report.analyses) == 20
    html = report.page.read_text(encoding="utf-8")
    assert "<h1>Hyperparameters on toys with the cnn</h1>" in html
    assert html.count("<svg") == 0
    facts = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert (facts["settings"], facts["penalties"]) == ([], None)
    (search,) = facts["searches"]
    assert search["best"] == {"recipe.lr": 0.19}
    assert [trial["recipe.lr"] for trial in search["trials"]] == [k / 100 for k in range(20)][::-1]
    tables = {path.name for path in (tmp_path / "report" / "tables").iterdir()}
    assert {"trials.csv", "trials.tex", "runs.csv"} <= tables


def test_a_search_beside_a_comparison(no_figures: None, tmp_path: Path) -> None:
    write_runs(tmp_path / "runs", STUDY)
    for k in range(3):
        config = {"recipe": {"lr": k}}
        write_run(tmp_path / "runs", a_run("kl", 9, validation=5, config=config, folder=f"t{k}"))
    begun = a_run(
        "kl", 9, (), (), validation=5, config={"recipe": {"lr": 5}}, finished=False, folder="t5"
    )
    write_run(tmp_path / "runs", begun)
    report = write_report([tmp_path / "runs"], tmp_path / "report")
    comparison, search = report.verdict.split("\n\n")
    assert comparison.startswith("On toys with the cnn")
    assert "margin beats random in AUBC over [10, 40] labels, 3 seeds: by 5.0 points" in comparison
    assert search.startswith("Provisional, as 1 run is unfinished. On toys")
    assert len(report.problems) == 1
    facts = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    (setting,) = facts["settings"]
    assert setting["notes"] == []  # no comparison with the trials is missed
    assert facts["penalties"]["names"] == ["random", "margin"]


def test_nothing_to_report_on_is_an_error_that_names_the_folders(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"no run to report on in {tmp_path}"):
        write_report([tmp_path], tmp_path / "report")
    assert not (tmp_path / "report").exists()
    with pytest.raises(UsageError, match="missing is no folder"):
        write_report([tmp_path / "missing"], tmp_path / "report")
    (tmp_path / "journal.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="line 1"):
        write_report([tmp_path], tmp_path / "report")


def test_a_target_that_cannot_be_written_is_named(no_figures: None, tmp_path: Path) -> None:
    run = write_run(tmp_path, a_run())
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=f"cannot be written to {tmp_path / 'file'}"):
        write_report([run], tmp_path / "file")


@pytest.mark.parametrize("link", ["", "figures", "tables"])
def test_no_link_below_the_target_is_followed(no_figures: None, tmp_path: Path, link: str) -> None:
    run, target, outside = write_run(tmp_path, a_run()), tmp_path / "report", tmp_path / "outside"
    outside.mkdir()
    (outside / "runs.csv").write_text("mine", encoding="utf-8")
    if link:
        target.mkdir()
    (target / link).symlink_to(outside)
    forged = {"files": ["tables/runs.csv"], "digests": {"tables/runs.csv": digest(b"mine")}}
    (target / "report.json").write_text(json.dumps(forged), encoding="utf-8")
    with pytest.raises(
        UsageError, match=r"is a link to .*outside.* Remove the link, or name another"
    ):
        write_report([run], target)
    assert (outside / "runs.csv").read_text(encoding="utf-8") == "mine"


def test_links_in_the_place_of_files_are_replaced_and_not_followed(
    no_figures: None, tmp_path: Path
) -> None:
    run, target, outside = write_run(tmp_path, a_run()), tmp_path / "report", tmp_path / "mine"
    outside.write_text("mine", encoding="utf-8")
    (target / "tables").mkdir(parents=True)
    for name in ("report.html", "report.json", "tables/runs.csv", "tables/old.csv"):
        (target / name).symlink_to(outside)
    write_report([run], target)
    assert outside.read_text(encoding="utf-8") == "mine"
    assert not (target / "report.html").is_symlink()
    assert (target / "tables" / "old.csv").is_symlink()


def test_only_what_a_report_wrote_is_removed(no_figures: None, tmp_path: Path) -> None:
    run, target = write_run(tmp_path, a_run()), tmp_path / "report"
    (target / "tables").mkdir(parents=True)
    for name in ("ours", "mine", "edited"):
        (target / "tables" / f"{name}.csv").write_text(name, encoding="utf-8")
    forged = {
        "files": ["tables/ours.csv", "tables/mine.csv", "tables/edited.csv"],
        "digests": {
            "tables/ours.csv": digest(b"ours"),
            "tables/edited.csv": digest(b"as it was"),
            "../run.txt": digest(b""),
        },
    }
    (target / "report.json").write_text(json.dumps(forged), encoding="utf-8")
    write_report([run], target)
    assert not (target / "tables" / "ours.csv").exists()
    assert (target / "tables" / "mine.csv").exists()
    assert (target / "tables" / "edited.csv").exists()


def test_a_report_json_that_is_a_pipe_is_not_waited_for(no_figures: None, tmp_path: Path) -> None:
    run, target = write_run(tmp_path, a_run()), tmp_path / "report"
    target.mkdir()
    os.mkfifo(target / "report.json")
    write_report([run], target)
    assert (target / "report.json").is_file()
