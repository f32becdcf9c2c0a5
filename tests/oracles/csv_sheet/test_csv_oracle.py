import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from al_lightning import ImageData, Images, Journal, Pool, Question, UsageError
from al_lightning.oracles import CsvOracle
from al_lightning.oracles.csv_sheet.sheet import Rows, sheet_rows
from al_lightning.run.class_change import ClassChange
from al_lightning.run.question_parts import QuestionParts
from tests.helpers import start_event

CLASSES = ("cat", "dog")
FILES = tuple(f"unlabeled/{i}.png" for i in range(6))


def data() -> ImageData:
    pixels = torch.arange(6 * 3 * 4 * 4).reshape(6, 3, 4, 4).to(torch.uint8)
    train = Images(pixels, torch.tensor([0, 1, -1, -1, -1, -1]), FILES)
    return ImageData(train, train.rows(torch.tensor([], dtype=torch.int64)), CLASSES)


def question(*ids: int, round_index: int = 1) -> Question:
    return Question(
        round_index,
        "query",
        torch.tensor(ids),
        scores=torch.linspace(-0.5, -0.25, len(ids)),
        predicted=torch.ones(len(ids), dtype=torch.int64),
        confidence=torch.full((len(ids),), 0.625),
    )


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def fill(path: Path, **labels: str) -> None:
    """Write labels into a sheet, by "i<id>"."""
    rows = table(path)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(
            {**row, "label": labels.get(f"i{row['id']}", row["label"])} for row in rows
        )


def values(*tensors: Tensor) -> list[list[int]]:
    return [tensor.tolist() for tensor in tensors]


def test_a_question_becomes_a_sheet_and_a_page(tmp_path: Path) -> None:
    oracle = CsvOracle(data(), tmp_path)
    assert oracle.answer(question(4, 2)) is None
    first, second = table(tmp_path / "round_01.csv")
    assert first == {
        "id": "4",
        "file": "unlabeled/4.png",
        "predicted": "dog",
        "confidence": "0.6250",
        "score": "-0.5",
        "label": "",
    }
    assert second["id"] == "2"
    page = (tmp_path / "round_01.html").read_text()
    assert page.count("data:image/png;base64,") == 2
    assert "unlabeled/2.png" in page
    assert oracle.answer(question(4, 2)) is None  # not filled in: asked no second time
    assert str(tmp_path / "round_01.csv") in oracle.instructions(question(4, 2))


def test_a_sheet_says_which_strategy_chose_an_image(tmp_path: Path) -> None:
    parts = QuestionParts(("margin", "=random"), ("=random",))
    oracle, asked = CsvOracle(data(), tmp_path), replace(question(4, 2), parts=parts)
    assert oracle.answer(asked) is None
    sheet = tmp_path / "round_01.csv"
    assert [*table(sheet)[0]] == ["id", "file", "predicted", "confidence", "score", "part", "label"]
    assert [row["part"] for row in table(sheet)] == ["margin", "'=random"]
    page = (tmp_path / "round_01.html").read_text()
    assert "<dt>chosen by</dt><dd>margin</dd>" in page
    assert '"id,file,predicted,confidence,score,part,label"' in page  # what it saves
    fill(sheet, i4="dog", i2="skip")
    answer = oracle.answer(asked)
    assert answer is not None
    assert values(answer.ids, answer.labels, answer.skipped) == [[4], [1], [2]]


def test_a_first_question_has_no_guesses(tmp_path: Path) -> None:
    asked = Question(0, "initial", torch.tensor([3, 5]))
    assert CsvOracle(data(), tmp_path).answer(asked) is None
    assert [row["predicted"] for row in table(tmp_path / "round_00.csv")] == ["", ""]


def test_an_answer_has_the_order_of_the_question_whatever_that_of_the_rows(tmp_path: Path) -> None:
    oracle = CsvOracle(data(), tmp_path)
    oracle.answer(question(4, 2, 5, 3))
    fill(tmp_path / "round_01.csv", i4="dog", i3="cat", i5="skip")
    header, *rows = (tmp_path / "round_01.csv").read_text().splitlines()
    (tmp_path / "round_01.csv").write_text("\n".join([header, *rows[::-1]]))
    answer = oracle.answer(question(4, 2, 5, 3))
    assert answer is not None
    assert values(answer.ids, answer.labels, answer.skipped) == [[4, 3], [1, 0], [5]]


def after(*earlier: Question) -> Question:
    return replace(question(3, round_index=2), earlier=earlier)


def test_what_comes_late_is_not_lost(tmp_path: Path) -> None:
    oracle, first = CsvOracle(data(), tmp_path), question(4, 2, 5)
    oracle.answer(first)
    fill(tmp_path / "round_01.csv", i4="dog")
    oracle.answer(first)
    oracle.answer(after(first))
    fill(tmp_path / "round_01.csv", i2="cat", i5="skip")
    assert oracle.answer(after(first)) is None
    fill(tmp_path / "round_02.csv", i3="cat")
    answer = oracle.answer(after(first))
    assert answer is not None
    assert values(answer.ids, answer.late_ids, answer.late_labels) == [[3], [2, 4], [0, 1]]
    assert answer.late_skipped.tolist() == [5]


def test_late_labels_of_validation_are_labels_too(tmp_path: Path) -> None:
    oracle, first = CsvOracle(data(), tmp_path), Question(0, "validation", torch.tensor([4, 2]))
    oracle.answer(first)
    oracle.answer(after(first))
    fill(tmp_path / "round_00_validation.csv", i2="dog")
    fill(tmp_path / "round_02.csv", i3="cat")
    answer = oracle.answer(after(first))
    assert answer is not None
    assert values(answer.late_ids, answer.late_labels) == [[2], [1]]


def test_earlier_sheets_are_held_against_what_they_asked(tmp_path: Path) -> None:
    oracle, first = CsvOracle(data(), tmp_path), question(4, 2)
    oracle.answer(first)
    oracle.answer(after(first))
    fill(tmp_path / "round_02.csv", i3="cat")
    (tmp_path / "round_01 (1).csv").write_text("a copy that a browser made")
    assert oracle.answer(after(first)) is not None
    sheet = tmp_path / "round_01.csv"
    sheet.write_text(sheet.read_text() + "5,unlabeled/5.png,,,,dog\n")
    with pytest.raises(UsageError, match=r"round_01\.csv.*\n.*id '5' was not queried"):
        oracle.answer(after(first))
    sheet.write_bytes(bytes(40))  # after a power loss
    assert oracle.answer(after(first)) is not None
    sheet.unlink()  # a person may tidy up
    assert oracle.answer(after(first)) is not None


def test_two_sheets_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    oracle = CsvOracle(data(), tmp_path)
    first, again = question(4), replace(question(4), attempt=1)
    for asked in (first, again, after(first, again)):
        oracle.answer(asked)
    fill(tmp_path / "round_01.csv", i4="cat")
    fill(tmp_path / "round_01_again_1.csv", i4="dog")
    fill(tmp_path / "round_02.csv", i3="cat")
    with pytest.raises(
        UsageError, match=r"_again_1\.csv .* id 4 is 'dog', and .*round_01\.csv that"
    ):
        oracle.answer(after(first, again))


def test_the_page_of_another_question_remembers_nothing_of_this_one(tmp_path: Path) -> None:
    """What a browser keeps goes by the path of a page, which runs that start anew share."""
    keys = []
    for ids in ((4, 2), (4, 5)):
        CsvOracle(data(), tmp_path / str(ids)).answer(question(*ids))
        page = (tmp_path / str(ids) / "round_01.html").read_text()
        keys.append(next(line for line in page.splitlines() if line.startswith("const key")))
    assert keys[0] != keys[1]


def test_a_sheet_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    oracle = CsvOracle(data(), tmp_path)
    oracle.answer(question(4, 2))
    fill(tmp_path / "round_01.csv", i4="dog", i2="bird")
    with pytest.raises(UsageError, match="row 3: 'bird' is no class"):
        oracle.answer(question(4, 2))
    (tmp_path / "round_01.csv").unlink()
    (tmp_path / "round_01.csv").mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        oracle.answer(question(4, 2))


@pytest.mark.parametrize("left", [b"", bytes(40), b"\n"])
def test_a_sheet_that_a_power_loss_has_emptied_is_written_anew(tmp_path: Path, left: bytes) -> None:
    oracle = CsvOracle(data(), tmp_path)
    oracle.answer(question(4, 2))
    written = (tmp_path / "round_01.csv").read_bytes()
    (tmp_path / "round_01.csv").write_bytes(left)
    assert oracle.answer(question(4, 2)) is None
    assert (tmp_path / "round_01.csv").read_bytes() == written


def test_a_crash_between_page_and_sheet_is_made_good(tmp_path: Path) -> None:
    oracle = CsvOracle(data(), tmp_path)
    (tmp_path / "round_01.html").write_text("half a page")
    assert oracle.answer(question(4)) is None
    assert "</html>" in (tmp_path / "round_01.html").read_text()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("mark", ["cat", " cat", "", " ", None])
def test_a_skip_mark_that_is_a_class_or_nothing_is_refused(tmp_path: Path, mark: Any) -> None:
    with pytest.raises(UsageError, match=r"oracle\.skip_mark"):
        CsvOracle(data(), tmp_path, mark)


def test_a_page_holds_names_as_text(tmp_path: Path) -> None:
    """A class or a file may be called anything."""
    images = data().train
    odd = ("<b>cat</b>", '"</script>')
    files = tuple(f"</script>{i}" for i in range(6))
    train = Images(images.pixels, images.labels, files)
    oracle = CsvOracle(ImageData(train, train.rows(torch.tensor([0, 1])), odd), tmp_path)
    oracle.answer(question(4))
    page = (tmp_path / "round_01.html").read_text()
    assert "<b>cat" not in page
    assert page.count("</script>") == 1


def named(*classes: str, files: tuple[str, ...] = FILES) -> ImageData:
    images = data().train
    train = Images(images.pixels, images.labels, files)
    return ImageData(train, train.rows(torch.tensor([0, 1])), classes)


def test_a_page_saves_the_class_that_was_chosen(tmp_path: Path) -> None:
    """By number: the text of an option loses blanks, and a table shows no formula."""
    CsvOracle(named("a b", "-1"), tmp_path).answer(question(4))
    page = (tmp_path / "round_01.html").read_text()
    assert 'const names = ["a b", "\\u0027-1", "skip"];' in page
    options = re.findall(r'<option value="(.*?)">(.*?)</option>', page)
    assert options == [("", ""), ("0", "a b"), ("1", "&#39;-1"), ("2", "skip")]


@pytest.mark.parametrize("name", ["=cat", "-1", "@x", "it's", "caf\u00e9"])
def test_a_class_of_any_name_can_be_labeled_as_it_is_shown(tmp_path: Path, name: str) -> None:
    oracle = CsvOracle(named("dog", name), tmp_path)
    oracle.answer(question(4, 2))  # the guess is the second class
    (shown, _) = (row["predicted"] for row in table(tmp_path / "round_01.csv"))
    for written in (name, shown):
        fill(tmp_path / "round_01.csv", i4=written, i2="dog")
        answer = oracle.answer(question(4, 2))
        assert answer is not None
        assert answer.labels.tolist() == [1, 0]


def test_a_label_in_another_case_is_taken_and_told(tmp_path: Path) -> None:
    oracle = CsvOracle(data(), tmp_path)
    oracle.answer(question(4, 2))
    fill(tmp_path / "round_01.csv", i4="Dog", i2="SKIP")
    with pytest.warns(UserWarning, match="round_01.csv: labels were read .*'Dog' as 'dog'"):
        answer = oracle.answer(question(4, 2))
    assert answer is not None
    assert values(answer.ids, answer.labels, answer.skipped) == [[4], [1], [2]]


def test_a_new_name_in_a_sheet_is_a_new_class_in_an_open_project(tmp_path: Path) -> None:
    oracle = CsvOracle(data(), tmp_path, takes_new=True)
    first = question(4, 2)
    oracle.answer(first)
    assert "another name for a new class" in oracle.instructions(first)
    fill(tmp_path / "round_01.csv", i4="owl", i2="dog")
    answer = oracle.answer(first)
    assert answer is not None
    assert answer.new_classes == ("owl",)
    assert values(answer.ids, answer.labels) == [[4, 2], [2, 1]]


def test_earlier_sheets_may_bring_further_classes(tmp_path: Path) -> None:
    oracle = CsvOracle(data(), tmp_path, takes_new=True)
    first = question(4, 2)
    oracle.answer(first)
    fill(tmp_path / "round_01.csv", i4="cat")
    second = replace(question(3, 5, round_index=2), earlier=(first,))
    oracle.answer(second)
    fill(tmp_path / "round_01.csv", i2="elk")
    fill(tmp_path / "round_02.csv", i3="owl", i5="elk")
    answer = oracle.answer(second)
    assert answer is not None
    assert answer.new_classes == ("owl", "elk")
    assert values(answer.ids, answer.labels) == [[3, 5], [2, 3]]
    assert values(answer.late_ids, answer.late_labels) == [[2, 4], [3, 0]]


def test_sheets_are_read_with_names_that_classes_and_files_had(tmp_path: Path) -> None:
    oracle = CsvOracle(data(), tmp_path)
    first = question(4, 2)
    oracle.answer(first)
    fill(tmp_path / "round_01.csv", i4="cat", i2="dog")
    oracle.on_classes(ClassChange(["owl"], renamed={"cat": "kitten"}))
    with pytest.warns(UserWarning, match="'cat' as 'kitten'"):
        answer = oracle.answer(first)
    assert answer is not None
    assert values(answer.ids, answer.labels) == [[4, 2], [0, 1]]
    moved = tuple(name.replace("unlabeled", "new") for name in FILES)
    now = replace(data(), train=replace(data().train, files=moved), earlier_files={4: [FILES[4]]})
    later = CsvOracle(now, tmp_path)
    with pytest.raises(UsageError, match=r"id 2 is 'new/2\.png'"):
        later.answer(first)
    now = replace(now, earlier_files={i: [name] for i, name in enumerate(FILES)})
    assert CsvOracle(now, tmp_path).answer(first) is not None


def test_a_sheet_that_is_changed_later_corrects_also_where_nothing_is_asked(tmp_path: Path) -> None:
    oracle, pool = CsvOracle(data(), tmp_path), Pool(6)
    assert oracle.corrections(pool) is None
    oracle.answer(question(4, 2))
    assert oracle.corrections(pool) is None  # nothing is filled in
    fill(tmp_path / "round_01.csv", i4="dog")
    found = oracle.corrections(pool)
    assert found is not None
    assert values(found.ids, found.late_ids, found.late_labels) == [[], [4], [1]]
    assert oracle.corrections(pool) is None  # it was not changed since
    fill(tmp_path / "round_01.csv", i4="cat", i2="dog")
    found = oracle.corrections(pool)
    assert found is not None
    assert values(found.late_ids, found.late_labels) == [[2, 4], [1, 0]]
    (tmp_path / "round_01.csv").write_text("nothing of a sheet")
    with pytest.raises(UsageError, match=r"round_01\.csv"):
        oracle.corrections(pool)
    (tmp_path / "round_01.csv").write_bytes(bytes(40))  # after a power loss
    assert oracle.corrections(pool) is None


def test_labels_that_are_emptied_or_skipped_later_are_told_of(tmp_path: Path) -> None:
    oracle, first = CsvOracle(data(), tmp_path), question(4, 2, 5)
    for asked in (first, after(first)):
        oracle.answer(asked)
    labeled = Pool(6).reveal(torch.tensor([4, 5]), torch.tensor([1, 0]))
    sheet, later = tmp_path / "round_01.csv", tmp_path / "round_02.csv"
    fill(sheet, i4="skip")
    found = oracle.corrections(labeled)
    assert found is not None
    assert values(found.late_ids, found.late_skipped, found.emptied_ids) == [[], [4], [5]]
    fill(sheet, i4="")  # all of them
    found = CsvOracle(data(), tmp_path).corrections(labeled)
    assert found is not None
    assert values(found.late_skipped, found.emptied_ids) == [[], [4, 5]]
    later.write_text(later.read_text().replace("3,unlabeled/3.png", "4,unlabeled/4.png"))
    fill(later, i4="dog")  # it was asked for again
    found = oracle.corrections(labeled)
    assert found is not None
    assert values(found.late_ids, found.emptied_ids) == [[4], [5]]
    fill(sheet, i4="", i2="cat")
    found = oracle.corrections(labeled)  # the second sheet is as it was
    assert found is not None
    assert values(found.late_ids, found.emptied_ids) == [[2], [5]]


def test_a_sheet_asks_for_what_is_left_of_a_question(tmp_path: Path) -> None:
    oracle = CsvOracle(data(), tmp_path)
    asked = replace(question(4, 2, 5), settled_ids=torch.tensor([2]))
    assert oracle.answer(asked) is None
    assert [row["id"] for row in table(tmp_path / "round_01.csv")] == ["4", "5"]
    assert (tmp_path / "round_01.html").read_text().count("<img") == 2
    assert oracle.instructions(asked).startswith("2 images need a label")


def test_a_start_reads_every_sheet_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = question(4, 2)
    for asked in (first, after(first)):
        CsvOracle(data(), tmp_path).answer(asked)
    fill(tmp_path / "round_01.csv", i4="dog")
    fill(tmp_path / "round_02.csv", i3="cat")
    read: list[str] = []

    def counted(path: Path) -> Rows:
        read.append(path.name)
        return sheet_rows(path)

    monkeypatch.setattr("al_lightning.oracles.csv_sheet.csv_oracle.sheet_rows", counted)
    oracle = CsvOracle(data(), tmp_path)
    found, answer = oracle.corrections(Pool(6)), oracle.answer(after(first))
    assert found is not None
    assert answer is not None
    assert values(found.late_ids, answer.ids, answer.late_ids) == [[3, 4], [3], [4]]
    assert read == ["round_01.csv", "round_02.csv"]
    fill(tmp_path / "round_01.csv", i4="dog", i2="cat")
    answer = oracle.answer(after(first))  # another step reads them anew
    assert answer is not None
    assert answer.late_ids.tolist() == [2, 4]


@pytest.mark.parametrize("name", ["round_01 - Copy", "labeled_round_01", "review", "round_1"])
def test_no_other_table_is_taken_for_a_sheet(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.csv").write_text("id,label\n4,1\n")
    assert CsvOracle(named("0", "1"), tmp_path).corrections(Pool(6)) is None


def test_a_page_beside_an_open_sheet_offers_the_classes_of_today(tmp_path: Path) -> None:
    oracle = CsvOracle(data(), tmp_path)
    oracle.answer(question(4, 2))
    before = (tmp_path / "round_01.csv").read_bytes()
    oracle.on_classes(ClassChange(["owl"]))
    assert oracle.answer(question(4, 2)) is None
    assert (
        'const names = ["cat", "dog", "owl", "skip"];' in (tmp_path / "round_01.html").read_text()
    )
    assert (tmp_path / "round_01.csv").read_bytes() == before


def test_sheets_are_read_with_skip_marks_that_the_run_had(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    oracle = {"oracle": {"skip_mark": "skip"}}
    journal.begin({"project": True, **start_event(config=oracle, classes=[*CLASSES])})
    sheets = tmp_path / "queries"
    CsvOracle.for_run(data(), sheets, 0).answer(question(4, 2))
    fill(sheets / "round_01.csv", i4="Skip", i2="dog")
    for mark in ("none", "unclear"):
        journal.record_setting("oracle.skip_mark", mark)
    changed = CsvOracle.for_run(data(), sheets, 0, "unclear", "open")
    with pytest.warns(UserWarning, match="'Skip' as 'skip'"):
        answer = changed.answer(question(4, 2))
    assert answer is not None
    assert values(answer.ids, answer.skipped) == [[2], [4]]
    assert answer.new_classes == ()
