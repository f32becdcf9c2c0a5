from pathlib import Path

import pytest
import torch

from al_lightning import Evidence
from tests.examples.loading import load_example

EXAMPLE = load_example("own_strategy")


def test_scores_are_entropy_times_mean_cosine_similarity() -> None:
    # Directions (1, 0), (1, 0), (0, 1): mean similarities 2/3, 2/3, 1/3. Entropies ln 2, 0, ln 2.
    pool = Evidence(
        torch.arange(3),
        probabilities=torch.tensor([[0.5, 0.5], [1.0, 0.0], [0.5, 0.5]]),
        embeddings=torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0]]),
    )
    scores = EXAMPLE.InformationDensity(beta=2.0).score(pool)
    ln2 = torch.tensor(2.0).log()
    torch.testing.assert_close(scores, torch.stack([ln2 * 4 / 9, ln2 * 0, ln2 / 9]))


def test_both_strategies_start_from_the_same_round_and_learn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journals = EXAMPLE.main(tmp_path)
    rounds = {name: journal.rounds for name, journal in journals.items()}
    assert [event["labels_bought"] for event in rounds["density"]] == [20, 40, 60, 80]
    assert rounds["density"][0]["metrics"] == rounds["margin"][0]["metrics"]
    assert rounds["density"][-1]["metrics"]["accuracy"] > 0.7
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line]
    assert {"margin", "density"} <= {*names}
