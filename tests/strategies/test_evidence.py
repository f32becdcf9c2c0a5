import pytest
import torch

from al_lightning.strategies.evidence import Evidence, Need

IDS = torch.tensor([40, 7, 19])


def full() -> Evidence:
    return Evidence(
        IDS,
        probabilities=torch.tensor([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]]),
        embeddings=torch.arange(12.0).reshape(3, 4),
        mc_probabilities=torch.full((3, 5, 2), 0.5),
        calibrated_probabilities=torch.full((3, 2), 0.5),
        dropped_features=torch.full((3, 4, 2), 0.5),
    )


def test_needs_name_the_fields() -> None:
    evidence = full()
    for need in Need:
        assert evidence.require(need) is getattr(evidence, need.value)


def test_quantities_are_those_present() -> None:
    assert full().quantities().keys() == set(Need)
    assert Evidence(IDS).quantities() == {}
    assert Evidence(IDS, embeddings=torch.zeros(3, 2)).quantities().keys() == {Need.EMBEDDINGS}


def test_length_is_the_number_of_images() -> None:
    assert len(full()) == 3
    assert len(Evidence(torch.empty(0, dtype=torch.int64))) == 0


def test_absent_quantity_is_an_error_that_says_what_to_declare() -> None:
    with pytest.raises(ValueError, match=r"no embeddings.*declare Need\.EMBEDDINGS"):
        Evidence(IDS).require(Need.EMBEDDINGS)


def test_rows_keep_what_belongs_together() -> None:
    picked = full().rows(torch.tensor([2, 0]))
    assert picked.ids.tolist() == [19, 40]
    assert picked.require(Need.EMBEDDINGS)[:, 0].tolist() == [8, 0]
    torch.testing.assert_close(picked.require(Need.PROBABILITIES)[:, 0], torch.tensor([0.3, 0.1]))
    assert picked.require(Need.MC_PROBABILITIES).shape == (2, 5, 2)


def test_rows_leave_absent_quantities_absent() -> None:
    assert Evidence(IDS).rows(torch.tensor([1])).quantities() == {}


@pytest.mark.parametrize(
    "ids", [torch.zeros(2, 2, dtype=torch.int64), torch.zeros(2), torch.zeros(2, dtype=torch.int32)]
)
def test_ids_must_be_one_row_of_int64(ids: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"ids must be \(N,\) int64"):
        Evidence(ids)


@pytest.mark.parametrize(
    ("need", "shape"),
    [
        (Need.PROBABILITIES, (3,)),
        (Need.PROBABILITIES, (2, 4)),
        (Need.EMBEDDINGS, (3, 4, 1)),
        (Need.EMBEDDINGS, (4, 4)),
        (Need.MC_PROBABILITIES, (3, 4)),
        (Need.MC_PROBABILITIES, (5, 3, 2)),
    ],
)
def test_wrong_shape_is_an_error_that_names_the_quantity(need: Need, shape: tuple[int]) -> None:
    with pytest.raises(ValueError, match=rf"Evidence\.{need} must have"):
        Evidence(IDS, **{need.value: torch.zeros(shape)})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("need", list(Need))
def test_non_finite_ids(need: Need, value: float) -> None:
    evidence = full()
    evidence.require(need)[1].flatten()[-1] = value
    assert evidence.non_finite_ids().tolist() == [7]


def test_infinities_that_cancel_are_found() -> None:
    values = torch.tensor([[torch.inf, -torch.inf], [1.0, 1.0], [torch.nan, 0.0]])
    assert Evidence(IDS, embeddings=values).non_finite_ids().tolist() == [40, 19]


def test_finite_rows_whose_sum_overflows_are_fine() -> None:
    values = torch.full((3, 4), torch.finfo(torch.float32).max)
    assert Evidence(IDS, embeddings=values).non_finite_ids().tolist() == []


def test_nothing_is_non_finite_in_nothing() -> None:
    assert Evidence(IDS).non_finite_ids().tolist() == []
    empty = Evidence(torch.empty(0, dtype=torch.int64), embeddings=torch.empty(0, 4))
    assert empty.non_finite_ids().tolist() == []


def test_is_immutable() -> None:
    with pytest.raises(AttributeError):
        full().ids = IDS  # type: ignore[misc]


def test_weights_go_with_their_rows() -> None:
    evidence = Evidence(torch.tensor([7, 8, 9]), weights=torch.tensor([1.0, 2.0, 3.0]))
    weights = evidence.rows(torch.tensor([2, 0])).weights
    assert weights is not None
    assert weights.tolist() == [3, 1]
    with pytest.raises(ValueError, match=r"Evidence\.weights must have shape \(3,\), not \(3, 1\)"):
        Evidence(torch.arange(3), weights=torch.ones(3, 1))


def test_numbers_as_numpy_has_them_are_taken_as_float32() -> None:
    rows = torch.rand(6, 4, dtype=torch.float64)
    pool = Evidence(torch.arange(6), embeddings=rows)
    assert pool.embeddings is not None
    assert pool.embeddings.equal(rows.float())
