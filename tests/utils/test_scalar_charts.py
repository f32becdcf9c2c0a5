from al_lightning.utils.scalar_charts import chart_title


def test_titles_are_readable() -> None:
    titles = [chart_title(name) for name in ("balanced_accuracy", "macro_f1", "ece")]
    assert titles == ["Balanced accuracy", "Macro F1", "ECE"]
