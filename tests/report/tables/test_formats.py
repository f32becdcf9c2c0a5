import csv
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from al_lightning.report.tables.formats import (
    Cell,
    Column,
    Table,
    to_csv,
    to_latex,
    to_markdown,
    to_records,
    word,
)

TABLE = Table(
    "example",
    "What it shows.",
    [Column("strategy", numeric=False), Column("labels, %")],
    [
        [word("strategy", "least_confidence"), Cell("\u2265 1.2", {"mean": 1 / 81, "low": None})],
        [word("strategy", "a|b"), Cell("-3.0 \u00b1 0.5", {"mean": -0.03, "low": -0.035})],
    ],
)


def test_a_csv_has_every_digit() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(TABLE))))
    assert list(rows[0]) == ["strategy", "mean", "low"]
    assert [float(row["mean"]) for row in rows] == [1 / 81, -0.03]
    assert [row["low"] for row in rows] == ["", "-0.035"]
    assert "\r" not in to_csv(TABLE)


def test_markdown_is_rounded_and_aligned() -> None:
    assert to_markdown(TABLE).splitlines() == [
        "| strategy         |   labels, % |",
        "|:-----------------|------------:|",
        "| least_confidence |       \u2265 1.2 |",
        "| a\\|b             |  -3.0 \u00b1 0.5 |",
        "",
        "What it shows.",
    ]


def test_latex_is_escaped() -> None:
    lines = [" ".join(line.split()) for line in to_latex(TABLE).splitlines()]
    assert lines == [
        r"% needs \usepackage{booktabs}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"strategy & labels, \% \\",
        r"\midrule",
        r"least\_confidence & $\geq$ 1.2 \\",
        r"a|b & -3.0 $\pm$ 0.5 \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


ODD = (
    "a_b", "50% & more", "$x^2$", "~#{}", "a\\b", "\u00fcber, \u0142\u00f3d\u017a", "cut\u2026",
    "\u2212 1", "< 0.001",
    "x\n\\end{tabular}", '"quoted"', "[1] `*'", "\u65e5\u672c", "\x1b[2J",
)  # fmt: skip
ODD_TABLE = Table(
    "odd",
    "Odd.",
    [Column("strategy", numeric=False), Column("AUBC_1, % & $"), Column("\u2265", numeric=False)],
    [[word("strategy", name), Cell("-1 \u00b1 2", {"a": 1}), word("b", name)] for name in ODD],
)


def test_latex_is_well_formed_whatever_the_names() -> None:
    latex = pytest.importorskip("pylatexenc.latexwalker")
    (_, table, *_), _, _ = latex.LatexWalker(
        to_latex(ODD_TABLE), tolerant_parsing=False
    ).get_latex_nodes()
    assert table.environmentname == "tabular"
    rows: list[list[str]] = [[]]  # of each row, its columns
    for node in table.nodelist:
        if getattr(node, "macroname", None) == "\\":
            rows.append([])
        elif getattr(node, "specials_chars", None) == "&":
            rows[-1].append("&")
    assert [len(row) for row in rows] == [2] * (len(ODD) + 1) + [0]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="LaTeX is not installed")
def test_latex_compiles_as_it_is(tmp_path: Path) -> None:
    lines = [r"\documentclass{article}", r"\usepackage{booktabs}", r"\begin{document}"]
    for table in (TABLE, ODD_TABLE):
        (tmp_path / f"{table.name}.tex").write_text(to_latex(table), encoding="utf-8")
        lines.append(f"\\input{{{table.name}}}")
    (tmp_path / "all.tex").write_text("\n".join([*lines, r"\end{document}"]), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert result.returncode == 0, result.stdout.decode(errors="replace")[-2000:]


@pytest.mark.parametrize("write", [to_csv, to_markdown, to_latex])
def test_a_table_without_rows_can_be_written(write: object) -> None:
    assert callable(write)
    assert "strategy" in write(Table("empty", "Nothing.", TABLE.columns, []))


def test_records_are_what_a_csv_holds() -> None:
    assert to_records(TABLE)[0] == {"strategy": "least_confidence", "mean": 1 / 81, "low": None}


def test_no_text_of_a_table_is_run_by_what_shows_it() -> None:
    names = ["=1+1", "-x", "\x1b[2J", "<script>alert(1)</script>", "[a](http://b)", "a\nb"]
    columns = [Column("strategy", numeric=False), Column("<b>", numeric=True)]
    rows = [[word("strategy", name), Cell("< 0.001", {"=p": -0.5})] for name in names]
    table = Table("odd", "On <img src=x>.", columns, rows)
    read = list(csv.DictReader(io.StringIO(to_csv(table))))
    assert [row["strategy"] for row in read] == [
        "'=1+1",
        "'-x",
        r"\x1b[2J",
        "<script>alert(1)</script>",
        "[a](http://b)",
        r"a\nb",
    ]
    assert {row["'=p"] for row in read} == {"-0.5"}  # a number stays a number
    shown = to_markdown(table)
    assert not re.search("<[a-z/]", shown)
    assert "&lt;script>alert(1)&lt;/script>" in shown
    assert "&lt;b>" in shown
    assert "On &lt;img src=x>." in shown
    assert "< 0.001" in shown
    assert r"[a]\(http://b)" in shown
    assert len(shown.splitlines()) == 2 + len(names) + 2


def test_a_backslash_in_markdown_escapes_neither_a_column_nor_a_tag() -> None:
    table = Table(
        "t", "", [Column("name", numeric=False)], [[word("name", "a\\|b")], [word("name", "\\<b>")]]
    )
    shown = to_markdown(table).splitlines()
    assert [line.strip("| ") for line in shown[2:4]] == [r"a\\\|b", r"\\&lt;b>"]
