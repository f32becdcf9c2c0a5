from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from al_lightning.report.analysis.image_sample import image_sample
from al_lightning.report.study.runs import Run
from al_lightning.report.tables.image_table import seeds_and_images
from al_lightning.run.round_predictions import RoundPredictions
from tests.report.helpers import a_run, texts, the_analysis, the_setting

BUDGETS, IMAGES = (10, 20, 50), 40
LABELS = torch.arange(IMAGES) % 4


def a_study_with_predictions(root: Path, seeds: int = 3) -> tuple[list[Run], dict[str, np.ndarray]]:
    """Runs with stored predictions; and which images they predict right, (seeds, budgets, N)."""
    runs, rights = [], {}
    for name, rate in {"random": 0.5, "margin": 0.7}.items():
        generator = np.random.default_rng([*name.encode()])
        right = generator.random((seeds, len(BUDGETS), IMAGES)) < rate
        rights[name] = right
        for seed in range(seeds):
            folder = root / name / str(seed)
            (folder / "predictions").mkdir(parents=True)
            for k in range(len(BUDGETS)):
                hit = torch.from_numpy(right[seed, k])
                predicted = torch.where(hit, LABELS, (LABELS + 1) % 4)
                probabilities = torch.nn.functional.one_hot(predicted, 4).float()
                content = RoundPredictions.of(probabilities, LABELS).to_bytes()
                (folder / "predictions" / f"round_{k:02d}.npz").write_bytes(content)
            accuracy = right[seed].mean(axis=1).tolist()
            runs.append(a_run(name, seed, accuracy, BUDGETS, folder=str(folder)))
    return runs, rights


def test_differences_are_those_of_the_journals_and_paired_by_image(tmp_path: Path) -> None:
    runs, rights = a_study_with_predictions(tmp_path)
    sample = image_sample(the_setting(runs))
    assert sample is not None
    assert (sample.images, sample.missing) == (IMAGES, "")
    apart = rights["margin"].astype(float) - rights["random"]
    # Trapezoids over 10, 20 and 50 labels: 10 / 80, 40 / 80 and 30 / 80 of the heights.
    for measure, weight in {"aubc": [1 / 8, 4 / 8, 3 / 8], "final_accuracy": [0, 0, 1]}.items():
        table = np.einsum("k,skn->sn", np.array(weight), apart)
        found = sample.differences[measure]["margin"]
        assert found.mean == pytest.approx(table.mean())
        assert found.over_seeds == pytest.approx(stats.sem(table.mean(axis=1)) ** 2)
        anova = table - table.mean(1)[:, None] - table.mean(0) + table.mean()
        together = (anova**2).sum() / (2 * (IMAGES - 1))
        images = max(0, table.mean(0).var(ddof=1) - together / 3) / IMAGES
        assert found.over_images == pytest.approx(images)


def test_the_table_has_both_intervals_and_says_what_they_are_over(tmp_path: Path) -> None:
    runs, _ = a_study_with_predictions(tmp_path)
    analysis = the_analysis(runs)
    table = seeds_and_images(analysis)
    assert table is not None
    (cells,) = texts(table).values()
    assert analysis.image_sample is not None
    found = analysis.image_sample.differences["aubc"]["margin"]
    assert cells[:2] == ["3", f"+{100 * found.mean:.2f}"]
    assert cells[3] == f"[{100 * found.low:.2f}, {100 * found.high:.2f}]"
    comparison = analysis.against[0].difference
    assert comparison is not None
    assert cells[2] == f"[{100 * (comparison.low or 0):.2f}, {100 * (comparison.high or 0):.2f}]"
    assert "Paired by seed and by image." in " ".join(table.caption.split())
    assert "on these 40 test images" in " ".join(table.caption.split())


def test_without_every_prediction_there_is_a_reason(tmp_path: Path) -> None:
    runs, _ = a_study_with_predictions(tmp_path)
    path = tmp_path / "margin" / "1" / "predictions" / "round_02.npz"
    whole = path.read_bytes()
    path.write_bytes((tmp_path / "random" / "0" / "predictions" / "round_00.npz").read_bytes())
    reasons = [f"{path} does not give the accuracy that the journal has"]
    for content in (RoundPredictions.of(torch.eye(4)).to_bytes(), b"", None):
        sample = image_sample(the_setting(runs))
        assert sample is not None
        assert sample.differences == {}
        assert reasons[-1] in sample.missing
        assert seeds_and_images(the_analysis(runs)) is None
        reasons.append(
            {None: "is not there", b"": "holds no predictions"}.get(content, "holds no true")
        )
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
    path.write_bytes(whole)
    assert image_sample(the_setting(runs)) is not None


def test_without_two_common_seeds_there_is_nothing_to_sample(tmp_path: Path) -> None:
    assert image_sample(the_setting([a_run("random", 0), a_run("margin", 0)])) is None
    assert image_sample(the_setting([a_run("margin", 0), a_run("margin", 1)])) is None
