from pathlib import Path

from al_lightning.cli.typos import suggestions


def test_what_needs_no_download_comes_first() -> None:
    for typed in ("efficientnet", "eficientnet"):
        (text,) = suggestions([f"model={typed}"])
        first, second, *_ = text.splitlines()[1:]
        assert first.startswith("  model=efficientnet_lite0: ")
        assert "from a pip package" in first
        assert text.index("efficientnet_lite0") < text.index("efficientnet_b0")
        assert "downloaded" in text.splitlines()[-1]
        assert second


def test_a_single_one_is_named() -> None:
    assert suggestions(["strategy=margn"]) == ["There is no margn; did you mean margin?"]
    assert suggestions(["budget.qeury=5", "-m"]) == [
        "There is no budget.qeury; did you mean budget.query?"
    ]
    assert suggestions(["budget.query=5", "strategy=margin"]) == []


def test_choices_of_a_folder_of_ones_own_are_known(tmp_path: Path) -> None:
    (tmp_path / "strategy").mkdir()
    (tmp_path / "strategy" / "mine.yaml").write_text("# Mine.\ndefaults: [margin]\n")
    assert suggestions(["--config-dir", str(tmp_path), "strategy=mine"]) == []
    (line,) = suggestions(["--config-dir", str(tmp_path), "strategy=mien"])
    assert line == "There is no mien; did you mean mine?"
