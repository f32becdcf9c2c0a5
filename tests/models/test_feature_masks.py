import pytest
import torch

from al_lightning.models.feature_masks import FeatureMasks

IDS = torch.arange(2_000)


def test_the_share_of_what_is_dropped_and_the_mean_are_right() -> None:
    rows = torch.ones(2_000, 64)
    dropped = FeatureMasks(0.75, 0).apply(rows, IDS, 0)
    assert {*dropped.flatten().tolist()} == {0, 4}
    assert float((dropped == 0).float().mean()) == pytest.approx(0.75, abs=0.01)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.03)


def test_masks_differ_by_image_pass_and_seed_alone() -> None:
    rows = torch.ones(2_000, 64)
    one, again = (FeatureMasks(0.5, 0).apply(rows, IDS, 0) for _ in range(2))
    assert torch.equal(one, again)
    assert len({*map(tuple, one.tolist())}) > 1_500  # of 4,096 masks, by chance about 1,580
    for other in (
        FeatureMasks(0.5, 0).apply(rows, IDS, 1),
        FeatureMasks(0.5, 1).apply(rows, IDS, 0),
    ):
        assert float((one == other).float().mean()) == pytest.approx(0.5, abs=0.01)


def test_a_batch_is_as_its_images_alone() -> None:
    masks, rows = FeatureMasks(0.5, 0), torch.randn(8, 16)
    whole = masks.apply(rows, IDS[:8] * 1_000_003, 2)
    for i in range(8):
        alone = masks.apply(rows[i : i + 1], IDS[i : i + 1] * 1_000_003, 2)
        assert torch.equal(alone[0], whole[i])


def test_without_dropout_embeddings_stay() -> None:
    rows = torch.randn(5, 3)
    assert torch.equal(FeatureMasks(0.0, 0).apply(rows, IDS[:5], 0), rows)
