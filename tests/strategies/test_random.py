from collections import Counter

import torch

from al_lightning.strategies import Random
from tests.strategies.helpers import make_evidence, seeded


def test_costs_no_evidence() -> None:
    strategy = Random()
    assert strategy.needs == strategy.labeled_needs == frozenset()
    pool = make_evidence(5, needs=())
    assert strategy.select(pool, None, 2, seeded()).scores.tolist() == [0, 0]


def test_every_image_is_as_likely_at_every_place() -> None:
    pool, generator = make_evidence(4, needs=()), seeded()
    draws = torch.stack([Random().select(pool, None, 2, generator).ids for _ in range(2000)])
    for place in range(2):
        counts = Counter(draws[:, place].tolist())
        assert counts.keys() == set(pool.ids.tolist())
        # 500 expected each, standard deviation 19.4: 5 of them either way.
        assert all(abs(times - 500) < 97 for times in counts.values())


def test_another_seed_gives_another_order() -> None:
    pool = make_evidence(100, needs=())
    one, other = (Random().select(pool, None, 100, seeded(s)).ids for s in (0, 1))
    assert not torch.equal(one, other)
