from dataclasses import replace
from pathlib import Path

from al_lightning import load_trained
from al_lightning.inference.calibrating import described
from al_lightning.training.calibration import Calibration
from tests.inference.trained_runs import CALIBRATION, write_trained


def test_a_run_says_how_it_is_calibrated(tmp_path: Path) -> None:
    run = load_trained(write_trained(tmp_path))
    assert described(run) == "Confidences are not calibrated"
    found = Calibration(**CALIBRATION)
    figures = "temperature 2.00, calibration error 0.200 before and 0.100 after"
    assert described(run.calibrated_by(found)) == (
        f"Confidences are calibrated on 20 validation labels: {figures}"
    )
    assert described(run.calibrated_by(replace(found, source="out_of_fold", labels=1234))) == (
        "Confidences are not calibrated for the pool: labels that a strategy chose may be unlike it. "
        f"On these 1,234 labels, out of fold: {figures}"
    )


def test_a_temperature_that_makes_it_worse_is_named(tmp_path: Path) -> None:
    worse = replace(Calibration(**CALIBRATION), ece_before=0.05, ece_after=0.08)
    text = described(load_trained(write_trained(tmp_path)).calibrated_by(worse))
    assert text.endswith("0.080 after. On these labels they are better without it: predict --raw")
