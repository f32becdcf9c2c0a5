import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.special import rel_entr
from torch import Tensor

from al_lightning.strategies import Cosine, Euclidean, Metric, SymmetricKL
from al_lightning.strategies.evidence import Need
from al_lightning.strategies.functional import distances as module
from al_lightning.strategies.functional.distances import bound_types


def distances(metric: Metric, x: Tensor, y: Tensor) -> Tensor:
    divergence = metric.factors(x.double()).divergence(metric.factors(y.double()))
    return metric.distance(divergence)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


X, Y = normal(30, 8), normal(20, 8, seed=1)


def test_each_metric_declares_its_need() -> None:
    assert Euclidean.need == Cosine.need == Need.EMBEDDINGS
    assert SymmetricKL.need == Need.PROBABILITIES


def test_euclidean_by_hand() -> None:
    assert distances(Euclidean(), torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]])) == 5


def test_euclidean_agrees_with_scipy() -> None:
    np.testing.assert_allclose(distances(Euclidean(), X, Y), cdist(X, Y), rtol=1e-12)


def test_cosine_agrees_with_scipy() -> None:
    np.testing.assert_allclose(distances(Cosine(), X, Y), cdist(X, Y, "cosine"), atol=1e-14)


def test_cosine_of_zero_vectors() -> None:
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0], [-5.0, 0.0], [0.0, 0.0]])
    expected = [[0, 1, 1, 0], [1, 0, 2, 1], [1, 2, 0, 1], [0, 1, 1, 0]]
    assert distances(Cosine(), x, x).tolist() == expected


@pytest.mark.parametrize("scale", [1e-45, 1e-38, 1e-20, 1e20, 1e38])
def test_cosine_ignores_norms(scale: float) -> None:
    directions = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 0.0]])
    scaled = directions * scale
    assert (scaled.abs().amax(1) > 0).all()
    torch.testing.assert_close(
        distances(Cosine(), scaled, directions), distances(Cosine(), directions, directions)
    )


@pytest.mark.parametrize("scale", [1e-38, 1e-20, 1e20, 1e38])
def test_euclidean_of_huge_and_tiny_norms(scale: float) -> None:
    # Their squares are 0 or infinite in float32.
    x, y = X / 10 * scale, Y / 10 * scale
    np.testing.assert_allclose(distances(Euclidean(), x, y), cdist(x, y), rtol=1e-12)


def test_symmetric_kl_by_hand() -> None:
    p, q = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.25, 0.75]])
    expected = (0.25 * np.log(2) + -0.25 * np.log(0.5 / 0.75)) / 2
    np.testing.assert_allclose(distances(SymmetricKL(), p, q), [[expected]], rtol=1e-12)


def test_symmetric_kl_agrees_with_scipy_and_clamps() -> None:
    p = torch.cat([X.softmax(1), torch.eye(8)])  # one-hot rows hold zeros
    q = torch.cat([Y.softmax(1), torch.eye(8)])
    a, b = (v.double().clamp(min=1e-6).numpy() for v in (p, q))
    a, b = a[:, None], b[None]
    expected = (rel_entr(a, b) + rel_entr(b, a)).sum(2) / 2
    np.testing.assert_allclose(distances(SymmetricKL(), p, q), expected, atol=1e-13)


@pytest.mark.parametrize("metric", [Euclidean(), Cosine(), SymmetricKL()])
def test_symmetric_not_negative_and_zero_to_itself(metric: Metric) -> None:
    x = X.softmax(1)
    found = distances(metric, x, x)
    assert (found >= 0).all()
    torch.testing.assert_close(found, found.T, atol=1e-7, rtol=0)
    # The distance is the root of a difference whose rounding error is 1e-16 or so.
    assert found.diagonal().max() < 1e-7


@pytest.mark.parametrize("metric", [Euclidean(), Cosine(), SymmetricKL()])
def test_rows_of_factors(metric: Metric) -> None:
    factors, index = metric.factors(X.softmax(1).double()), torch.tensor([3, 1])
    torch.testing.assert_close(
        factors.rows(index).divergence(factors.rows(index)),
        factors.divergence(factors)[index][:, index],
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("metric", [Euclidean(), Cosine(), SymmetricKL()])
@pytest.mark.parametrize("columns", [1, 10, 2000])
@pytest.mark.parametrize("spread", [1.0, 1e-3])
def test_rounding_bounds_what_coarse_products_do(
    metric: Metric, columns: int, spread: float, dtype: torch.dtype
) -> None:
    # With a small spread all points lie close to each other, far from the origin.
    x = 1 + spread * normal(40, columns)
    x = x.softmax(1) if metric.need == Need.PROBABILITIES else x
    rough, exact = metric.factors(x).products_in(dtype), metric.factors(x.double())
    assert rough.offset.dtype == torch.float32
    assert rough.left.dtype == rough.right.dtype == dtype
    shares = rough.rounding().double()
    error = (rough.divergence(rough).double() - exact.divergence(exact)).abs()
    assert (error <= shares[:, None] + shares).all()
    largest = max(exact.left.square().sum(1).max(), exact.right.square().sum(1).max())
    assert shares.max() < (0.01 if dtype == torch.bfloat16 else 1e-3) * largest + 1e-2  # and not by
    # saying nothing


def test_points_with_other_products_keep_their_offsets() -> None:
    points = SymmetricKL().factors(X.softmax(1))
    coarse = points.products_in(torch.bfloat16)
    assert torch.equal(coarse.offset, points.offset)
    assert torch.equal(coarse.left, points.left.bfloat16())
    assert torch.equal(coarse.right, points.right.bfloat16())


@pytest.mark.parametrize(
    ("units", "precision", "expected"),
    [
        (True, "highest", [torch.bfloat16, torch.float32]),
        (False, "highest", [torch.float32]),
        (True, "medium", [torch.bfloat16]),
        (False, "medium", []),
    ],
)
def test_bounds_are_computed_in_what_is_fast_and_known(
    monkeypatch: pytest.MonkeyPatch, units: bool, precision: str, expected: list[torch.dtype]
) -> None:
    monkeypatch.setattr(module, "computes_bfloat16", lambda: units)
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision(precision)
        assert bound_types() == expected
    finally:
        torch.set_float32_matmul_precision(before)
