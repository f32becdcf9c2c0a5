from al_lightning.report.figures.curves import metric_name


def test_metrics_have_names_for_readers() -> None:
    assert metric_name("macro_f1") == "macro-F1"
    assert metric_name("balanced_accuracy") == "balanced accuracy"
    assert metric_name("ece") == "calibration error"
