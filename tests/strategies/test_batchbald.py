import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from al_lightning.strategies import BALD, BatchBALD, Selection
from al_lightning.strategies.batchbald import Labelings, keep_some
from al_lightning.strategies.evidence import Evidence
from al_lightning.strategies.sizes import Sizes
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import seeded


def made_up(count: int, samples: int = 5, classes: int = 3, seed: int = 0) -> Tensor:
    return 2 * torch.randn(count, samples, classes, generator=seeded(seed), dtype=torch.float64)


def pool_of(samples: Tensor) -> Evidence:
    return Evidence(torch.arange(len(samples)) + 100, mc_probabilities=samples)


def select(samples: Tensor, count: int, seed: int = 0, **options: Any) -> Selection:
    options = {"saturation": 0.0, **options}
    return BatchBALD(**options).select(pool_of(samples), None, count, seeded(seed))


def joint_information(samples: Tensor, picks: list[int]) -> float:
    """The mutual information of the picks' labels and the network, by all labelings; in nats."""
    joint, noise = 0.0, 0.0
    for labels in itertools.product(range(samples.shape[2]), repeat=len(picks)):
        each = torch.ones_like(samples[0, :, 0])
        for pick, label in zip(picks, labels, strict=True):
            each = each * samples[pick, :, label]
        mean = float(each.mean())
        joint -= mean * math.log(mean) if mean > 0 else 0
    for pick in picks:
        noise += float(torch.special.entr(samples[pick]).sum(1).mean())
    return joint - noise


def test_picks_and_scores_are_those_of_the_greedy_search_over_all_labelings() -> None:
    samples = made_up(25).softmax(2)
    picks: list[int] = []
    totals = [0.0]
    for _ in range(4):
        others = [i for i in range(25) if i not in picks]
        found = {i: joint_information(samples, [*picks, i]) for i in others}
        picks.append(max(found, key=lambda i: found[i]))
        totals.append(found[picks[-1]])
    selection = select(samples, 4)
    assert (selection.ids - 100).tolist() == picks
    gains = torch.tensor(totals).diff()
    torch.testing.assert_close(selection.scores, gains, rtol=0, atol=1e-6)


def test_picks_and_scores_are_those_of_scikit_activeml() -> None:
    batch_bald = pytest.importorskip("skactiveml.pool").batch_bald
    samples = made_up(300, samples=6, classes=4).softmax(2)
    count = 4
    utilities = batch_bald(
        samples.numpy().transpose(1, 0, 2).copy(),
        count,
        n_MC_samples=4 ** (count - 1),
        random_state=0,
    )
    selection = select(samples, count)
    assert (selection.ids - 100).tolist() == np.nanargmax(utilities, 1).tolist()


def test_a_joint_choice_avoids_what_two_images_tell_alike() -> None:
    sure, unsure = torch.tensor([0.95, 0.05]), torch.tensor([0.05, 0.95])
    alike = torch.stack([sure, sure, unsure, unsure])
    other = torch.stack([sure, unsure, sure, unsure]) * 0.9 + 0.05
    pool = torch.stack([alike, alike, other])
    assert set(BALD().select(pool_of(pool), None, 2, seeded()).ids.tolist()) == {100, 101}
    selection = select(pool, 2)
    assert 102 in selection.ids.tolist()


def test_the_first_pick_is_that_of_bald() -> None:
    samples = made_up(50).softmax(2)
    alone = BALD().select(pool_of(samples), None, 1, seeded())
    joint = select(samples, 1)
    assert joint.ids.tolist() == alone.ids.tolist()
    torch.testing.assert_close(joint.scores, alone.scores)


@settings(max_examples=25)
@given(
    count=st.integers(1, 6),
    samples=st.integers(1, 4),
    classes=st.integers(1, 3),
    kind=st.sampled_from(["plain", "ties", "certain", "duplicates"]),
    seed=st.integers(0, 99),
)
def test_what_a_pick_adds_is_the_most_that_any_would_add(
    count: int, samples: int, classes: int, kind: str, seed: int
) -> None:
    logits = made_up(6, samples, classes, seed)
    values = {
        "plain": logits.softmax(2),
        "ties": logits.round().softmax(2),
        "certain": torch.nn.functional.one_hot(logits.argmax(2), classes).double(),
        "duplicates": logits.softmax(2)[torch.arange(6) % 2],
    }[kind]
    selection = select(values, count, configurations=10_000)
    picks = (selection.ids - 100).tolist()
    assert len(set(picks)) == count
    for index, gain in enumerate(selection.scores.tolist()):
        before = picks[:index]
        known = joint_information(values, before)
        best = max(
            joint_information(values, [*before, i]) - known for i in range(6) if i not in before
        )
        assert gain == pytest.approx(best, abs=1e-6)
        assert joint_information(values, [*before, picks[index]]) - known == pytest.approx(
            best, abs=1e-6
        )


def test_few_labelings_estimate_what_all_would_say() -> None:
    samples = made_up(200, samples=10, classes=4).softmax(2)
    exact = select(samples, 6, configurations=4**5)
    for seed in range(3):
        few = select(samples, 6, seed, configurations=64)
        assert few.ids[:4].tolist() == exact.ids[:4].tolist()  # 4^3 labelings of three picks
        torch.testing.assert_close(few.scores.sum(), exact.scores.sum(), rtol=0.02, atol=0)


def test_an_estimate_is_right_on_average() -> None:
    samples = made_up(20, samples=8, classes=4).softmax(2)

    def added(limit: int, seed: int) -> Tensor:
        labelings, generator = Labelings(8), seeded(seed)
        for pick in samples[:5]:
            labelings.extend(pick, limit, generator)
        return labelings.gains(samples[5:])

    exact = added(4**5, 0)
    estimates = torch.stack([added(20, seed) for seed in range(300)])
    error = estimates.std(0) / 300**0.5
    assert ((estimates.mean(0) - exact).abs() < 4.5 * error).all()
    assert (error > 0).all()


def test_all_labelings_are_as_likely_as_the_samples_say() -> None:
    samples = made_up(3, samples=4, classes=3).softmax(2)
    labelings = Labelings(4)
    for pick in samples:
        labelings.extend(pick, 27, seeded())
    assert len(labelings.weights) == 27
    labels = itertools.product(range(3), repeat=3)
    expected = torch.stack(
        [torch.stack([samples[i, :, c] for i, c in enumerate(each)]).prod(0) for each in labels]
    )
    torch.testing.assert_close(labelings.weights, expected.mean(1))
    torch.testing.assert_close(labelings.posteriors, expected / expected.sum(1, keepdim=True))
    remaining = math.log(4) - joint_information(samples, [0, 1, 2])
    assert labelings.open_information() == pytest.approx(remaining)


def test_merged_labelings_bound_what_a_candidate_adds() -> None:
    samples = made_up(60, samples=6, classes=4).softmax(2)
    labelings = Labelings(6)
    for pick in samples[:4]:
        labelings.extend(pick, 4**4, seeded())
    merged = labelings.merged()
    assert len(merged.weights) == 6 < len(labelings.weights)
    assert float(merged.weights.sum()) == pytest.approx(1)
    torch.testing.assert_close(merged.posteriors.sum(1), torch.ones(6).double())
    torch.testing.assert_close(
        merged.weights @ merged.posteriors, labelings.weights @ labelings.posteriors
    )
    gains, bounds = labelings.gains(samples[4:]), merged.gains(samples[4:])
    assert (bounds > gains).all()
    assert (bounds < 3 * gains).all()


def test_a_batch_that_has_used_up_the_information_begins_anew() -> None:
    samples = made_up(300, samples=8).softmax(2)
    whole, anew = select(samples, 30), select(samples, 30, saturation=0.05)
    used = anew.scores.cumsum(0) / math.log(8)
    first = int((used < 0.95).sum()) + 1  # picks of the first batch
    assert 2 < first < 20
    assert anew.ids[:first].tolist() == whole.ids[:first].tolist()
    assert anew.scores[first] > 10 * whole.scores[first]
    left = [i for i in range(300) if i + 100 not in anew.ids[:first].tolist()]
    again = select(samples[left], 1)
    assert int(anew.ids[first]) - 100 == left[int(again.ids) - 100]


def test_ties_are_broken_by_chance() -> None:
    samples = made_up(1).softmax(2).repeat(40, 1, 1)
    first, second = (set(select(samples, 5, seed).ids.tolist()) for seed in (0, 1))
    assert first != second


# Terms of a sum


def test_few_terms_are_all_kept_and_nothing_is_drawn() -> None:
    generator = seeded()
    kept, chances = keep_some(torch.tensor([0.5, 0.0, 2.0, -1e-18]).double(), 2, generator)
    assert kept.tolist() == [0, 2]
    assert chances.tolist() == [1, 1]
    assert torch.equal(generator.get_state(), seeded().get_state())


@settings(max_examples=60)
@given(
    sizes=st.lists(st.floats(1e-9, 1e3), min_size=2, max_size=40),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 999),
)
def test_exactly_as_many_terms_are_kept_as_may_be(
    sizes: list[float], share: float, seed: int
) -> None:
    limit = max(1, int(share * len(sizes)))
    kept, chances = keep_some(torch.tensor(sizes, dtype=torch.float64), limit, seeded(seed))
    assert len(kept) == len(set(kept.tolist())) == limit
    assert (chances > 0).all()
    assert (chances <= 1).all()
    drawn = torch.tensor(sizes, dtype=torch.float64)[kept][chances < 1]
    assert (drawn / chances[chances < 1]).numpy() == pytest.approx(
        float(drawn[0] / chances[chances < 1][0]) if len(drawn) else 0.0
    )


def test_terms_are_kept_with_their_chances() -> None:
    sizes = torch.tensor([10.0, 0.1, 0.2, 0.3, 0.4]).double()
    generator, times = seeded(), torch.zeros(5)
    for _ in range(2000):
        kept, chances = keep_some(sizes, 3, generator)
        times[kept] += 1
        expected = torch.tensor([1.0, 0.2, 0.4, 0.6, 0.8]).double()
        torch.testing.assert_close(chances, expected[kept])
    assert ((times / 2000 - torch.tensor([1.0, 0.2, 0.4, 0.6, 0.8])).abs() < 0.055).all()


@pytest.mark.parametrize(
    "option",
    [
        *({"mc_samples": value} for value in (0, None)),
        *({"configurations": value} for value in (0, 2.5)),
        *({"saturation": value} for value in (-0.1, 1.0, float("nan"))),
    ],
    ids=str,
)
def test_arguments_out_of_range_are_errors_that_name_the_key(option: dict[str, Any]) -> None:
    (key,) = option
    with pytest.raises(UsageError, match=rf"strategy\.{key} must be"):
        BatchBALD(**option)


def test_work_takes_memory_for_labelings_beside_a_few_numbers_an_image() -> None:
    sizes = Sizes(pool=1000, labeled=0, classes=10, embedding=0, samples=20, count=5)
    few, many = (BatchBALD(configurations=n).working_bytes(sizes) for n in (10, 10**6))
    assert 64_000 < few < 10**8
    assert many > 10**6 * 8 * 30
