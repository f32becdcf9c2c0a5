import pytest
import torch
from torch import Tensor, nn

from al_lightning.models.fixed_masks import FixedMasks, require_dropout
from al_lightning.utils.errors import UsageError
from tests.helpers import tiny_classifier

SHAPES = {nn.Dropout: (4, 30, 5, 5), nn.Dropout1d: (4, 30, 9), nn.Dropout2d: (4, 30, 5, 5)}
SHAPES[nn.Dropout3d] = (4, 30, 3, 3, 3)


def under(module: nn.Module, values: Tensor, samples: int = 3, seed: int = 0) -> list[Tensor]:
    found = []
    with FixedMasks(module.eval(), seed) as masks:
        for k in range(samples):
            masks.choose(k)
            found.append(module(values))
    return found


@pytest.mark.parametrize("kind", SHAPES, ids=lambda kind: kind.__name__)
def test_a_sample_drops_the_same_units_of_every_image(kind: type[nn.Dropout]) -> None:
    ones = torch.ones(SHAPES[kind])
    first, second, _ = under(kind(0.4), ones)
    assert torch.equal(first, first[:1].expand_as(first))
    assert set(first.flatten().tolist()) == {0.0, torch.tensor(1 / 0.6).item()}
    assert not torch.equal(first, second)
    channels = first[0].flatten(1)
    assert (channels == channels[:, :1]).all() == (kind is not nn.Dropout)


def test_a_mask_lies_in_memory_as_the_maps_do() -> None:
    ones = torch.ones(SHAPES[nn.Dropout]).contiguous(memory_format=torch.channels_last)
    with FixedMasks(nn.Dropout(0.4).eval(), 0) as masks:
        masks.choose(0)
        masks._apply("", nn.Dropout(0.4), None, ones.bfloat16())
        (mask,) = masks._masks.values()
    assert mask.is_contiguous(memory_format=torch.channels_last)
    assert mask.dtype == torch.bfloat16


def test_the_mask_of_channels_fits_maps_of_any_size() -> None:
    dropout = nn.Dropout2d(0.4).eval()
    with FixedMasks(dropout, 0) as masks:
        found = []
        for side in (6, 4):
            masks.choose(0)
            found.append(dropout(torch.ones(2, 30, side, side))[:, :, 0, 0])
    assert torch.equal(*found)


def test_units_are_dropped_as_often_as_the_module_says() -> None:
    dropped = torch.stack(under(nn.Dropout(0.3), torch.ones(1, 1000), samples=20)).eq(0)
    assert abs(float(dropped.float().mean()) - 0.3) < 5 * (0.21 / 20_000) ** 0.5


def test_all_can_be_dropped() -> None:
    (sample,) = under(nn.Dropout(1.0), torch.ones(2, 5), samples=1)
    assert sample.tolist() == [[0.0] * 5] * 2


def test_masks_depend_on_the_seed_the_module_and_the_call() -> None:
    ones, dropout = torch.ones(1, 200), nn.Dropout(0.5)
    state = torch.get_rng_state()
    again = [under(dropout, ones, 1, seed)[0] for seed in (0, 0, 1)]
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(again[0], again[1])
    assert not torch.equal(again[0], again[2])
    module = nn.ModuleList([nn.Dropout(0.5), nn.Dropout(0.5)]).eval()
    with FixedMasks(module, 0) as masks:
        masks.choose(0)
        one, twice, other = module[0](ones), module[0](ones), module[1](ones)
        masks.choose(0)
        assert torch.equal(module[0](ones), one)
        assert torch.equal(module[0](ones), twice)
    assert len({tuple(values[0].tolist()) for values in (one, twice, other)}) == 3


def test_nothing_is_dropped_until_a_sample_is_chosen_nor_afterwards() -> None:
    ones, dropout = torch.ones(1, 50), nn.Dropout(0.5).eval()
    with FixedMasks(dropout, 0) as masks:
        assert dropout(ones) is ones
        masks.choose(0)
        assert not torch.equal(dropout(ones), ones)
        masks.choose(None)
        assert torch.equal(dropout(ones), ones)
    assert torch.equal(dropout(ones), ones)
    assert not dropout._forward_hooks
    assert torch.equal(ones, torch.ones(1, 50))


def test_it_is_seen_whether_dropout_was_used() -> None:
    module = nn.ModuleDict({"active": nn.Dropout(0.1), "idle": nn.Dropout(0.0)}).eval()
    used = []
    with FixedMasks(module, 0) as masks:
        for name in ("idle", "active", "idle"):
            masks.choose(None)
            module[name](torch.ones(1, 2))
            used.append(masks.used)
    assert used == [False, True, False]


def test_hooks_are_removed_after_an_error() -> None:
    dropout = nn.Dropout(0.5)
    with pytest.raises(ValueError, match="stop"), FixedMasks(dropout, 0):
        raise ValueError("stop")
    assert not dropout._forward_hooks


def test_low_precision_stays_low() -> None:
    (sample,) = under(nn.Dropout(0.5), torch.ones(1, 8, dtype=torch.bfloat16), samples=1)
    assert sample.dtype == torch.bfloat16


@pytest.mark.parametrize("kind", [nn.AlphaDropout, nn.FeatureAlphaDropout])
def test_alpha_dropout_is_not_sampled(kind: type[nn.AlphaDropout]) -> None:
    with pytest.raises(UsageError, match="has none"):
        require_dropout(nn.Sequential(kind(0.5)))


def test_what_samples_by_dropout_needs_dropout() -> None:
    require_dropout(tiny_classifier())
    with pytest.raises(
        UsageError, match=r"ImageClassifier has none: take .* \(model\.dense_dropout"
    ):
        require_dropout(tiny_classifier(block_dropout=0.0, dense_dropout=0.0))
