from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout as LayoutProto

from al_lightning.report.analysis.results import analyse
from al_lightning.report.page.dashboard import (
    Curve,
    how_to_open,
    sweep_curves,
    sweep_layout,
    write_dashboard,
)
from al_lightning.report.study.grouping import build_study
from al_lightning.utils.scalar_charts import overlay
from tests.report.helpers import a_study

BANDED: Curve = [(10, 0.5, 0.4, 0.6), (20, 0.75, 0.5, 1.0)]
BARE: Curve = [(10, 0.25, None, None), (20, 0.5, None, None)]
PART: Curve = [(10, 0.5, 0.25, 0.75), (20, 0.5, None, None)]  # the last budget has one seed


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def points(found: EventAccumulator, tag: str) -> list[tuple[int, float]]:
    return [(point.step, round(point.value, 6)) for point in found.Scalars(tag)]


def test_a_line_is_a_run_with_means_and_intervals(tmp_path: Path) -> None:
    write_dashboard({"digits/cnn/margin": {"accuracy": BANDED, "nll": BARE}}, tmp_path)
    found = events(tmp_path / "digits" / "cnn" / "margin")
    assert set(found.Tags()["scalars"]) == {
        *("sweep/accuracy", "sweep/accuracy/low", "sweep/accuracy/high", "sweep/nll")
    }
    assert points(found, "sweep/accuracy") == [(10, 0.5), (20, 0.75)]
    assert points(found, "sweep/accuracy/low") == [(10, 0.4), (20, 0.5)]
    assert points(found, "sweep/accuracy/high") == [(10, 0.6), (20, 1.0)]
    assert points(found, "sweep/nll") == [(10, 0.25), (20, 0.5)]


def test_an_interval_that_is_not_everywhere_is_left_out(tmp_path: Path) -> None:
    # TensorBoard refuses to draw a band whose steps are not those of its line.
    write_dashboard({"margin": {"accuracy": PART}}, tmp_path)
    assert events(tmp_path / "margin").Tags()["scalars"] == ["sweep/accuracy"]


def test_all_runs_have_the_same_layout(tmp_path: Path) -> None:
    write_dashboard({"a": {"accuracy": BANDED}, "b": {"macro_f1": BARE}}, tmp_path)
    layouts = [
        events(tmp_path / name).Tensors("custom_scalars__config__")[0].tensor_proto.string_val[0]
        for name in "ab"
    ]
    assert layouts[0] == layouts[1]
    (category,) = LayoutProto.FromString(layouts[0]).category
    assert [chart.title for chart in category.chart] == ["Accuracy", "Macro F1"]
    assert category.chart[0].margin.series[0].upper == "sweep/accuracy/high"


def test_lines_without_intervals_are_never_left_out_of_a_chart() -> None:
    margin = ("Margin", ["sweep/accuracy", "sweep/accuracy/low", "sweep/accuracy/high"])
    lines = overlay("sweep/accuracy")
    (charts,) = sweep_layout({"a": {"accuracy": BANDED}, "b": {"accuracy": BANDED}}).values()
    assert charts == {"Accuracy": margin}
    (charts,) = sweep_layout({"a": {"accuracy": BANDED}, "b": {"accuracy": PART}}).values()
    assert charts == {"Accuracy": lines, "Accuracy, with intervals": margin}
    (charts,) = sweep_layout({"a": {"accuracy": BARE}, "b": {"accuracy": PART}}).values()
    assert charts == {"Accuracy": lines}


def test_writing_again_replaces_what_was_written_and_nothing_else(tmp_path: Path) -> None:
    other = tmp_path / "margin" / "events.out.tfevents.1.host"
    other.parent.mkdir()
    other.write_bytes(b"")
    write_dashboard({"margin": {"accuracy": BANDED}, "gone": {"accuracy": BANDED}}, tmp_path)
    write_dashboard({"margin": {"accuracy": BARE}}, tmp_path)
    assert other.exists()
    assert len(list(tmp_path.rglob("*.sweep"))) == 1
    assert points(events(tmp_path / "margin"), "sweep/accuracy") == [(10, 0.25), (20, 0.5)]


def test_nothing_is_written_outside_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "tensorboard"
    with pytest.raises(ValueError, match=r"'\.\./margin'"):
        write_dashboard({"random": {"accuracy": BARE}, "../margin": {"accuracy": BARE}}, folder)
    assert not folder.exists()


def test_the_lines_of_a_report_are_its_strategies_without_the_passive_baseline() -> None:
    runs = a_study({"random": 0.0, "margin": 0.1}, passive=0.9)
    lines = sweep_curves([analyse(setting) for setting in build_study(runs)])
    assert set(lines) == {"random", "margin"}
    labels, means, lows, _ = zip(*lines["margin"]["accuracy"], strict=True)
    assert labels == (10, 20, 30, 40)
    assert means == pytest.approx((0.51, 0.71, 0.81, 0.91))  # the mean of three seeds, 0.01 apart
    assert all(low < mean for low, mean in zip(lows, means, strict=True))


def test_lines_are_named_by_what_differs() -> None:
    runs = [run for name in ("toys", "pets") for run in a_study({"random": 0.0}, dataset=name)]
    lines = sweep_curves([analyse(setting) for setting in build_study(runs)])
    assert set(lines) == {"toys/random", "pets/random"}


def test_the_command_that_opens_it_can_be_pasted() -> None:
    assert how_to_open(Path("sweeps/a b=1,2/tensorboard")) == (
        "Mean curves in TensorBoard: tensorboard --logdir 'sweeps/a b=1,2/tensorboard'\n"
        "then open http://localhost:6006/?smoothing=0#timeseries"
    )


def test_settings_of_one_model_have_folders_of_their_own() -> None:
    runs = [
        run
        for rate in (0.1, 0.2)
        for run in a_study({"random": 0.0}, config={"recipe": {"lr": rate}})
    ]
    lines = sweep_curves([analyse(setting) for setting in build_study(runs)])
    assert set(lines) == {"recipe.lr=0.1/random", "recipe.lr=0.2/random"}
