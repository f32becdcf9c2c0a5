import pytest
import torch

from al_lightning.strategies import (
    BALD,
    Badge,
    Euclidean,
    FarthestFirst,
    Margin,
    Mix,
    Random,
    VoteEntropy,
)
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.mix import by_shares
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import make_evidence, seeded

SHARES = {"margin": 0.5, "far": 0.3, "random": 0.2}


def mixed(shares: dict[str, float] = SHARES) -> Mix:
    return Mix({"margin": Margin(), "far": FarthestFirst(Euclidean()), "random": Random()}, shares)


def test_each_part_has_its_share_and_none_an_image_twice() -> None:
    mix = mixed()
    assert mix.needs == {Need.PROBABILITIES, Need.EMBEDDINGS}
    pool, labeled = make_evidence(60, mix.needs), make_evidence(5, mix.labeled_needs, seed=1)
    found = mix.select(pool, Evidence(torch.arange(5), embeddings=labeled.embeddings), 20, seeded())
    assert found.parts == ("margin",) * 10 + ("far",) * 6 + ("random",) * 4
    assert found.uniform == ("random",)
    assert len({*found.ids.tolist()}) == 20


def test_the_uniform_part_draws_from_the_whole_pool_and_the_next_ones_from_the_rest() -> None:
    mix = mixed()
    pool = make_evidence(60, mix.needs)
    found = mix.select(pool, None, 20, seeded())
    drawn = Random().select(pool, None, 4, seeded()).ids
    assert found.ids[16:].tolist() == drawn.tolist()
    rest = pool.rows((~torch.isin(pool.ids, drawn)).nonzero().squeeze(1))
    alone = Margin().select(Evidence(rest.ids, rest.probabilities), None, 10, seeded())
    assert set(found.ids[:10].tolist()) == set(alone.ids.tolist())
    assert torch.equal(found.scores[:10], alone.scores)


def test_what_was_chosen_before_is_labeled_for_the_next_part() -> None:
    rows = torch.tensor([[0.0, 0.0], [0.1, 0.0], [9.0, 0.0], [9.1, 0.0]])
    doubt = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.5, 0.5], [0.6, 0.4]])
    mix = Mix({"margin": Margin(), "far": FarthestFirst(Euclidean())}, {"margin": 1, "far": 1})
    found = mix.select(Evidence(torch.arange(4), doubt, rows), None, 2, seeded())
    assert found.ids.tolist() == [2, 0]  # the farthest from the first, not the nearest


def test_parts_without_a_share_or_an_image_are_left_out() -> None:
    mix = mixed({"margin": 1, "far": 0, "random": 1})
    pool = make_evidence(20, mix.needs)
    assert mix.select(pool, None, 2, seeded()).parts == ("margin", "random")
    assert mix.select(pool, None, 1, seeded()).parts == ("margin",)
    assert mix.select(pool, None, 1, seeded()).uniform == ()


@pytest.mark.parametrize(
    ("shares", "count", "expected"),
    [
        ([0.5, 0.3, 0.2], 10, [5, 3, 2]),
        ([0.5, 0.3, 0.2], 1, [1, 0, 0]),
        ([1, 1, 1], 5, [2, 2, 1]),
        ([0, 2], 3, [0, 3]),
        ([0.1] * 3, 30, [10, 10, 10]),
    ],
)
def test_shares_are_rounded_to_the_whole(
    shares: list[float], count: int, expected: list[int]
) -> None:
    assert by_shares(shares, count) == expected


def test_parts_with_the_same_samples_share_them() -> None:
    parts = {"bald": BALD(mc_samples=7), "votes": VoteEntropy(mc_samples=7), "badge": Badge()}
    assert Mix(parts, dict.fromkeys(parts, 1)).mc_samples == 7


@pytest.mark.parametrize(
    ("parts", "shares", "message"),
    [
        (
            {"a": Margin()},
            {"b": 1},
            r"strategy\.shares must have a share for each .*\(a\), not for b",
        ),
        ({"a": Margin()}, {"a": 0}, r"strategy\.shares must have a share above 0"),
        ({}, {}, r"strategy\.shares must have a share above 0"),
        ({"a": Margin()}, {"a": -1}, r"strategy\.shares\.a must be in \[0, inf\)"),
        ({"a": Margin(pool_subset=9)}, {"a": 1}, r"strategy\.parts\.a\.pool_subset=9"),
        (
            {"a": BALD(mc_samples=3), "b": BALD(mc_samples=4)},
            {"a": 1, "b": 1},
            r"share their samples of the network, but take 3 of a, 4 of b: set them to one number",
        ),
    ],
)
def test_what_cannot_be_mixed_is_refused(
    parts: dict[str, Margin], shares: dict[str, float], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        Mix(parts, shares)
