import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from al_lightning import Answer, ImageData, Images, LabelStudioOracle, Question, UsageError
from al_lightning.oracles.label_studio.client import StudioClient
from al_lightning.oracles.label_studio.interface import labeling_config, offered_classes
from al_lightning.run.class_change import ClassChange
from tests.command_line import CONF
from tests.oracles.fake_studio import ApiError, FakeClient, ReadTimeoutError

CLASSES = ("cat", 'dog & "wolf" <grey>', "owl")
CAT, DOG, OWL = CLASSES
URL = "http://studio.example:8080"
IDS = torch.tensor([4, 0, 7])


def make_data(
    classes: tuple[str, ...] = CLASSES, files: bool = True, channels: int = 3
) -> ImageData:
    pixels = torch.arange(10 * channels * 8 * 8).reshape(10, channels, 8, 8).to(torch.uint8)
    names = tuple(f"in/{i}.png" for i in range(10)) if files else None
    train = Images(pixels, torch.full((10,), -1), names)
    return ImageData(train, Images(pixels[:0], torch.empty(0, dtype=torch.int64)), classes)


def make_question(ids: torch.Tensor = IDS, index: int = 1, **changes: Any) -> Question:
    guesses = {
        "predicted": torch.arange(len(ids)) % 3,
        "confidence": torch.linspace(0.25, 0.75, len(ids)),
    }
    return Question(index, "query", ids, **{**guesses, **changes})


class Setting:
    """A run of its own on a server in memory."""

    def __init__(self, folder: Path, client: FakeClient | None = None, **options: Any) -> None:
        self.folder, self.client, self.options = folder, client or FakeClient(), options

    @property
    def oracle(self) -> LabelStudioOracle:
        """A new one, as in a new process."""
        given = {"data": make_data(), **self.options}
        return LabelStudioOracle(
            folder=self.folder / "queries",
            connect=lambda: StudioClient(self.client, f"{URL}/"),
            **given,
        )

    def answer(self, question: Question | None = None) -> Answer | None:
        return self.oracle.answer(question or make_question())

    @property
    def code(self) -> str:
        return str(json.loads((self.folder / "queries" / "label_studio.json").read_text())["run"])


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path / "digits" / "cnn" / "margin" / "seed=0")


def refusal(setting: Setting, question: Question | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        setting.answer(question)
    return str(caught.value)


# What is put to the annotators


def test_a_question_becomes_tasks_in_its_order(setting: Setting) -> None:
    assert setting.answer() is None
    assert setting.client.images() == [4, 0, 7]
    task = setting.client.tasks_there[0]
    assert {key: task.data[key] for key in task.data if key != "image"} == {
        "id": 4,
        "file": "in/4.png",
        "question": "round_01",
        "run": setting.code,
    }
    assert task.data["image"].startswith("data:image/png;base64,")
    assert task.meta == {"image": 4, "run": setting.code}


def test_the_classifiers_guess_is_a_prediction_and_is_shown(setting: Setting) -> None:
    setting.answer()
    assert setting.client.tasks_there[1].predictions == [
        {
            "result": [
                {
                    "from_name": "class",
                    "to_name": "image",
                    "type": "choices",
                    "value": {"choices": [DOG]},
                }
            ],
            "score": 0.5,
            "model_version": "round_01",
        }
    ]
    (project,) = setting.client.projects_there
    assert (project.model_version, project.show_collab_predictions) == ("round_01", True)


def test_without_a_classifier_there_are_no_predictions(setting: Setting) -> None:
    setting.answer(Question(0, "initial", IDS))
    assert [task.predictions for task in setting.client.tasks_there] == [[], [], []]
    assert "projects.update" not in setting.client.requests


def test_images_without_files_have_none(tmp_path: Path) -> None:
    setting = Setting(tmp_path, data=make_data(files=False))
    setting.answer()
    assert "file" not in setting.client.tasks_there[0].data
    setting.client.annotate(0, "cow")
    assert "task 2 (id 0): 'cow' is none of the data set's classes" in refusal(setting)


def test_the_project_is_named_after_the_run_and_its_code(setting: Setting) -> None:
    setting.answer()
    (project,) = setting.client.projects_there
    assert project.title == f"digits/cnn/margin/seed=0 {setting.code}"
    assert setting.code in project.description
    assert project.skip_queue == "IGNORE_SKIPPED"


def test_a_long_title_is_cut_but_its_code_is_whole(tmp_path: Path) -> None:
    setting = Setting(tmp_path / ("x" * 80))
    setting.answer()
    title = setting.client.projects_there[0].title
    assert len(title) == 50
    assert title.endswith(f" {setting.code}")


def test_a_title_may_be_changed_as_long_as_the_code_stays(setting: Setting) -> None:
    setting.answer()
    setting.client.projects_there[0].title = f"Zebras {setting.code}, urgent"
    setting.answer()
    assert len(setting.client.projects_there) == 1
    assert setting.client.images() == [4, 0, 7]


def test_class_names_are_escaped(setting: Setting) -> None:
    config = labeling_config(CLASSES)
    assert offered_classes(config) == list(CLASSES)
    setting.answer()
    assert setting.client.projects_there[0].label_config == config


# Nothing is put twice


def test_asking_again_adds_nothing(setting: Setting) -> None:
    for _ in range(3):
        assert setting.answer() is None
    assert setting.client.images() == [4, 0, 7]
    for call in ("projects.create", "projects.import_tasks", "projects.update"):
        assert setting.client.requests.count(call) == 1


def test_a_push_that_was_cut_short_is_completed_without_duplicates(tmp_path: Path) -> None:
    setting = Setting(tmp_path, data=make_data(files=False))
    ids = torch.arange(250)
    pixels = torch.zeros(250, 1, 8, 8, dtype=torch.uint8)
    data = ImageData(
        Images(pixels, torch.full((250,), -1)),
        Images(pixels[:0], torch.empty(0, dtype=torch.int64)),
        CLASSES,
    )
    setting.options["data"] = data
    setting.client.fails["projects.import_tasks"] = (1, ReadTimeoutError())
    assert "did not answer within 60 s when asked to import 100 tasks" in refusal(
        setting, make_question(ids)
    )
    assert len(setting.client.tasks_there) == 100
    assert setting.answer(make_question(ids)) is None
    assert setting.client.images() == list(range(250))
    assert setting.client.imported == [100, 100, 50]


def test_an_image_that_is_asked_for_again_keeps_its_task_and_gets_the_new_guess(
    tmp_path: Path,
) -> None:
    setting = Setting(tmp_path, accept_partial=True)
    setting.answer()
    setting.client.annotate(0, OWL)
    setting.answer()  # taken; 4 and 7 go back to the pool
    later = make_question(torch.tensor([7, 5]), 2)
    assert setting.answer(later) is None
    assert setting.client.images() == [4, 0, 7, 5]
    task = setting.client.tasks_there[2]
    assert [p["model_version"] for p in task.predictions] == ["round_01", "round_02"]
    assert task.predictions[1]["result"][0]["value"] == {"choices": [CAT]}
    setting.answer(later)
    assert len(task.predictions) == 2


def test_a_label_that_came_too_late_for_its_question_counts_when_it_is_asked_for(
    tmp_path: Path,
) -> None:
    setting = Setting(tmp_path, accept_partial=True)
    setting.answer()
    setting.client.annotate(0, OWL)
    setting.answer()
    setting.client.annotate(7, CAT)
    answer = setting.answer(make_question(torch.tensor([5, 7]), 2))
    assert answer is not None
    assert (answer.ids.tolist(), answer.labels.tolist()) == ([7], [0])


def test_what_comes_later_than_its_question_is_taken_with_the_next_answer(tmp_path: Path) -> None:
    setting = Setting(tmp_path, accept_partial=True)
    first = make_question(torch.tensor([4, 0, 7]), 1)
    setting.answer(first)
    setting.client.annotate(0, OWL)
    setting.answer(first)
    setting.client.annotate(7, CAT)
    setting.client.annotate(4, skip=True)
    second = replace(make_question(torch.tensor([5]), 2), earlier=(first,))
    assert setting.answer(second) is None
    setting.client.annotate(5, CAT)
    answer = setting.answer(second)
    assert answer is not None
    assert answer.ids.tolist() == [5]
    late = zip(answer.late_ids.tolist(), answer.late_labels.tolist(), strict=True)
    assert dict(late) == {0: 2, 7: 0}
    assert answer.late_skipped.tolist() == [4]


def test_a_task_that_is_there_twice_needs_one_annotation(setting: Setting) -> None:
    setting.answer()
    twin = setting.client.tasks_there[1].model_dump()
    setting.client._import_tasks(
        1, request=[twin], return_task_ids=True, request_options={"max_retries": 0}
    )
    for image in (4, 0, 7):
        setting.client.annotate(image, CAT)
    answer = setting.answer()
    assert answer is not None
    assert answer.ids.tolist() == [4, 0, 7]


def test_runs_do_not_mix_even_in_one_project(tmp_path: Path) -> None:
    client = FakeClient()
    one = Setting(tmp_path / "one", client, project="Animals")
    other = Setting(tmp_path / "other", client, project="Animals")
    one.answer()
    other.answer()
    assert len(client.projects_there) == 1
    assert client.images() == [4, 0, 7, 4, 0, 7]
    for image in (4, 0, 7):
        client.annotate(image, CAT)  # of the newest tasks: the other's
    assert one.answer() is None
    assert other.answer() is not None


def test_runs_have_projects_of_their_own(tmp_path: Path) -> None:
    client = FakeClient()
    for name in ("one", "other"):
        Setting(tmp_path / name, client).answer()
    assert len(client.projects_there) == 2


def test_a_run_that_starts_anew_asks_anew(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    setting.answer()
    (tmp_path / "queries" / "label_studio.json").unlink()  # as overwrite=true does
    for image in (4, 0, 7):
        setting.client.annotate(image, CAT)
    assert setting.answer() is None


# What annotators give


def test_labels_come_in_the_order_of_the_question(setting: Setting) -> None:
    setting.answer()
    setting.client.annotate(7, CAT)
    setting.client.annotate(4, OWL)
    assert setting.answer() is None
    setting.client.annotate(0, DOG)
    answer = setting.answer()
    assert answer is not None
    assert (answer.ids.tolist(), answer.labels.tolist()) == ([4, 0, 7], [2, 1, 0])
    assert (answer.ids.dtype, answer.labels.dtype) == (torch.int64, torch.int64)
    assert answer.skipped.tolist() == []


def test_the_skip_button_takes_an_image_out(setting: Setting) -> None:
    setting.answer()
    setting.client.annotate(7, CAT)
    setting.client.annotate(4, skip=True)
    setting.client.annotate(0, DOG)
    answer = setting.answer()
    assert answer is not None
    assert (answer.ids.tolist(), answer.labels.tolist()) == ([0, 7], [1, 0])
    assert answer.skipped.tolist() == [4]


def test_a_label_outweighs_a_skip(setting: Setting) -> None:
    setting.answer()
    for image in (4, 0, 7):
        setting.client.annotate(image, skip=True)
        setting.client.annotate(image, OWL)
    answer = setting.answer()
    assert answer is not None
    assert (answer.labels.tolist(), answer.skipped.tolist()) == ([2, 2, 2], [])


def test_two_annotators_may_agree(setting: Setting) -> None:
    setting.answer()
    for image in (4, 0, 7, 4):
        setting.client.annotate(image, OWL)
    assert setting.answer() is not None


def test_all_may_be_skipped(setting: Setting) -> None:
    setting.answer()
    for image in (4, 0, 7):
        setting.client.annotate(image, skip=True)
    answer = setting.answer()
    assert answer is not None
    assert (answer.ids.tolist(), answer.skipped.tolist()) == ([], [4, 0, 7])
    assert answer.ids.dtype == torch.int64


def test_part_of_an_answer_is_taken_where_that_is_wanted(tmp_path: Path) -> None:
    setting = Setting(tmp_path, accept_partial=True)
    assert setting.answer() is None
    assert setting.answer() is None
    setting.client.annotate(7, CAT)
    answer = setting.answer()
    assert answer is not None
    assert (answer.ids.tolist(), answer.labels.tolist()) == ([7], [0])


def test_spaces_that_a_browser_has_changed_do_not_matter(tmp_path: Path) -> None:
    setting = Setting(tmp_path, data=make_data(("big cat", "dog", "owl")))
    setting.answer()
    for image in (4, 0, 7):
        setting.client.annotate(image, " big  cat")
    answer = setting.answer()
    assert answer is not None
    assert answer.labels.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ([("cow",)], "task 2 (in/0.png): 'cow' is none of the data set's classes"),
        ([(CAT,), (OWL,)], "task 2 (in/0.png): different classes were chosen, 'cat', 'owl'"),
        ([(CAT, OWL)], "task 2 (in/0.png): different classes were chosen, 'cat', 'owl'"),
        ([()], "task 2 (in/0.png): an annotation has no class"),
        ([(CAT,), ()], "task 2 (in/0.png): an annotation has no class"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_taken(
    setting: Setting, annotations: list[tuple[str, ...]], message: str
) -> None:
    setting.answer()
    for chosen in annotations:
        setting.client.annotate(0, *chosen)
    setting.client.annotate(4, CAT)
    setting.client.annotate(7, CAT)
    refused = refusal(setting)
    assert message in refused
    assert f"{URL}/projects/1/data" in refused
    assert "no label was read" in refused


def test_many_problems_are_a_short_message(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    question = make_question(torch.arange(8))
    setting.answer(question)
    for image in range(8):
        setting.client.annotate(image, "cow")
    refused = refusal(setting, question)
    assert refused.count("'cow'") == 5
    assert "and 3 more" in refused


# What annotators are told


def test_the_instructions_say_where_and_how_much(setting: Setting) -> None:
    oracle = setting.oracle
    oracle.answer(make_question())
    setting.client.annotate(4, CAT)
    oracle.answer(make_question())
    asked = len(setting.client.requests)
    told = oracle.instructions(make_question())
    assert f"2 of 3 images are open in Label Studio: {URL}/projects/1/data" in told
    assert "run the same command again" in told
    assert "oracle.accept_partial=true" in told
    assert len(setting.client.requests) == asked


def test_the_instructions_come_by_themselves_too(tmp_path: Path) -> None:
    setting = Setting(tmp_path, accept_partial=True)
    assert "3 of 3 images are open" in setting.oracle.instructions(make_question())


# The project


def test_a_project_that_is_there_is_used(tmp_path: Path) -> None:
    setting = Setting(tmp_path, project="Animals")
    extended = labeling_config(CLASSES).replace(
        "</View>", '<TextArea name="comment" toName="image"/></View>'
    )
    for title in ("Animals of the sea", "Animals"):
        setting.client._create_project(title=title, label_config=extended, request_options={})
    setting.answer()
    assert {task.project for task in setting.client.tasks_there} == {2}


@pytest.mark.parametrize(
    "config",
    [
        labeling_config(CLASSES[:2]),
        labeling_config(CLASSES).replace('name="class"', 'name="kind"'),
        labeling_config(CLASSES).replace("$image", "$picture"),
        "<View>",
        "",
    ],
)
def test_a_project_that_cannot_take_the_classes_is_refused(tmp_path: Path, config: str) -> None:
    setting = Setting(tmp_path, project="Animals")
    setting.client._create_project(title="Animals", label_config=config, request_options={})
    refused = refusal(setting)
    assert "no choice" in refused
    assert "'owl'" in refused
    assert labeling_config(CLASSES) in refused
    assert setting.client.images() == []


def test_a_renamed_class_keeps_its_choice_and_its_annotations(setting: Setting) -> None:
    setting.answer()
    setting.client.annotate(4, CAT)
    setting.client.annotate(0, OWL)
    oracle = setting.oracle
    oracle.on_classes(ClassChange(renamed={CAT: "kitten"}, merged={OWL: DOG}))
    assert oracle.answer(make_question(predicted=torch.tensor([0, 1, 0]))) is None
    again = make_question(torch.tensor([7, 1]), index=2, predicted=torch.tensor([0, 1]))
    assert oracle.answer(again) is None
    shown = [t.predictions[-1]["result"][0]["value"]["choices"] for t in setting.client.tasks_there]
    assert shown[2:] == [[CAT], [DOG]]  # what can be chosen there
    setting.client.annotate(7, CAT)
    answer = oracle.answer(make_question(predicted=None))
    assert answer is not None
    assert (answer.ids.tolist(), answer.labels.tolist()) == ([4, 0, 7], [0, 1, 0])
    oracle.on_classes(ClassChange(["elk"]))
    with pytest.raises(UsageError, match="no choice 'elk'") as caught:
        oracle.answer(again)
    assert labeling_config(["kitten", DOG, "elk", CAT, OWL]) in str(caught.value)


def test_images_that_need_no_label_any_more_are_neither_sent_nor_waited_for(
    setting: Setting,
) -> None:
    setting.answer()
    oracle, question = setting.oracle, make_question(settled_ids=torch.tensor([0]))
    assert oracle.answer(question) is None
    assert "2 of 2 images are open" in oracle.instructions(question)
    setting.client.annotate(4, CAT)
    setting.client.annotate(7, OWL)
    answer = oracle.answer(question)
    assert answer is not None
    assert (answer.ids.tolist(), answer.labels.tolist()) == ([4, 7], [0, 2])
    oracle.answer(make_question(torch.tensor([1, 2]), settled_ids=torch.tensor([1])))
    assert setting.client.images() == [4, 0, 7, 2]


def test_projects_of_one_title_are_refused(tmp_path: Path) -> None:
    setting = Setting(tmp_path, project="Animals")
    for _ in range(2):
        setting.client._create_project(title="Animals", label_config="", request_options={})
    refused = refusal(setting)
    assert f"{URL}/projects/1/data, {URL}/projects/2/data" in refused


# What is refused before anything is asked


@pytest.mark.parametrize("title", ["", "ab", "x" * 51])
def test_a_title_that_the_server_would_refuse(tmp_path: Path, title: str) -> None:
    with pytest.raises(UsageError, match="3 to 50 characters"):
        LabelStudioOracle(make_data(), tmp_path, title)


def test_a_damaged_code_is_named(setting: Setting) -> None:
    setting.answer()
    path = setting.folder / "queries" / "label_studio.json"
    path.write_text("{}")
    refused = refusal(setting)
    assert str(path) in refused
    assert "every task shows its code" in refused


@pytest.mark.parametrize(
    "call",
    [
        *("projects.list", "projects.create", "tasks.list task_only", "projects.import_tasks"),
        *("projects.update", "tasks.list all", "predictions.create"),
    ],
)
def test_whatever_fails_the_same_command_goes_on(tmp_path: Path, call: str) -> None:
    setting = Setting(tmp_path, accept_partial=True)
    setting.client.fails[call] = (0, ApiError(502, "<html>Bad Gateway</html>"))
    later = make_question(torch.tensor([7, 4]), 2)
    refusals = 0
    for question in (make_question(), make_question(), later, later):
        try:
            setting.answer(question)
        except UsageError as error:
            assert "status 502" in str(error)  # noqa: PT017 - not every call is refused
            refusals += 1
            setting.answer(question)
    assert refusals == 1
    assert setting.client.images() == [4, 0, 7]
    versions = [[p["model_version"] for p in t.predictions] for t in setting.client.tasks_there]
    assert versions == [["round_01", "round_02"], ["round_01"], ["round_01", "round_02"]]


# The configuration


def test_a_missing_server_is_noticed_before_anything_is_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    with pytest.raises(UsageError, match="LABEL_STUDIO_URL"):
        LabelStudioOracle.for_run(make_data(), tmp_path, 0)


def test_the_yaml_makes_the_oracle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient()
    monkeypatch.setattr(StudioClient, "from_environment", lambda: StudioClient(client, URL))
    path = CONF / "oracle" / "label_studio.yaml"
    assert path.read_text().startswith("# ")
    loaded = OmegaConf.load(path)
    assert isinstance(loaded, DictConfig)
    assert loaded.project == "auto"
    config = loaded.oracle
    assert (config.project, config.accept_partial) == (None, False)
    config.project = 2027  # YAML's number is a title all the same
    oracle = instantiate(config, _convert_="all")(make_data(), tmp_path, 0)
    assert isinstance(oracle, LabelStudioOracle)
    assert not oracle.answers_at_once
    assert not list(tmp_path.iterdir())  # a finished run is not to be changed
