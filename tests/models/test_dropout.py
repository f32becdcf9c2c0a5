import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from al_lightning.models.dropout import ByteDropout


@pytest.mark.parametrize("p", [0.25, 0.5, 0.125])
def test_every_element_is_dropped_with_the_probability(p: float) -> None:
    torch.manual_seed(0)
    shape = (4001, 8)
    dropped = ByteDropout(p)(torch.ones(shape)) == 0
    # By the position in a 64-bit draw: five standard errors for each of them.
    error = 5 * math.sqrt(p * (1 - p) / shape[0])
    torch.testing.assert_close(dropped.float().mean(0), torch.full((8,), p), rtol=0, atol=error)


def test_elements_are_dropped_independently() -> None:
    torch.manual_seed(0)
    dropped = (ByteDropout(0.5)(torch.ones(20_000, 8)) == 0).double()
    correlation = torch.corrcoef(dropped.T) - torch.eye(8, dtype=torch.float64)
    assert float(correlation.abs().max()) < 0.04


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_what_is_kept_is_scaled_up(dtype: torch.dtype, layout: torch.memory_format) -> None:
    images = torch.rand(5, 3, 7, 9).add(1).to(dtype).contiguous(memory_format=layout)
    output = ByteDropout(0.5)(images)
    kept = output != 0
    assert 0 < int(kept.sum()) < images.numel()
    torch.testing.assert_close(output[kept], 2 * images[kept])
    assert output.is_contiguous(memory_format=layout)


def test_the_gradient_passes_where_the_element_did() -> None:
    values = torch.rand(300).add(1).requires_grad_()
    output = ByteDropout(0.25)(values)
    output.sum().backward()
    torch.testing.assert_close(values.grad, (output.detach() != 0) / 0.75)


def test_the_seed_decides_the_mask() -> None:
    dropout, values = ByteDropout(0.25), torch.ones(100)
    torch.manual_seed(3)
    first = dropout(values)
    assert not torch.equal(first, dropout(values))
    torch.manual_seed(3)
    assert torch.equal(first, dropout(values))


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_other_probabilities_are_torchs_dropout(p: float) -> None:
    values = torch.rand(100)
    torch.manual_seed(0)
    ours = ByteDropout(p)(values)
    torch.manual_seed(0)
    assert torch.equal(ours, F.dropout(values, p, training=True))


def test_nothing_is_dropped_in_evaluation() -> None:
    values = torch.rand(100)
    assert torch.equal(ByteDropout(0.5).eval()(values), values)
    assert isinstance(ByteDropout(0.5), nn.Dropout)  # what samples by dropout finds it


def test_no_elements_are_no_elements() -> None:
    assert ByteDropout(0.5)(torch.empty(0, 4)).shape == (0, 4)
