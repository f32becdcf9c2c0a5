import torch
from torch.nn.functional import normalize

from al_lightning.strategies import MaxHerding, UHerding
from al_lightning.strategies.evidence import Evidence
from tests.strategies.functional.test_herding import plain
from tests.strategies.helpers import make_evidence, seeded

NEEDS = UHerding.needs


def test_the_picks_are_those_of_all_pairs_in_float64() -> None:
    pool, labeled = make_evidence(150, NEEDS), make_evidence(10, UHerding.labeled_needs, seed=1)
    assert labeled.embeddings is not None
    _, order = pool.ids.sort()
    by_id = pool.rows(order)
    assert by_id.embeddings is not None
    assert by_id.calibrated_probabilities is not None
    rows, known = normalize(by_id.embeddings.double()), normalize(labeled.embeddings.double())
    first, second = by_id.calibrated_probabilities.double().topk(2).values.unbind(1)
    distances = torch.cdist(known, known)
    bandwidth = float(distances[distances > 1e-9].min())
    picks, _ = plain(rows, 1 - (first - second), known, bandwidth, 20)
    found = UHerding().select(pool, labeled, 20, seeded())
    assert found.ids.tolist() == by_id.ids[picks].tolist()


def test_before_the_first_label_it_is_max_herding() -> None:
    pool = make_evidence(60, NEEDS)
    ours, plainly = (s.select(pool, None, 9, seeded()) for s in (UHerding(), MaxHerding()))
    assert ours.ids.tolist() == plainly.ids.tolist()


def test_equal_labeled_images_have_the_bandwidth_of_none() -> None:
    pool = make_evidence(60, NEEDS)
    labeled = Evidence(torch.arange(3), embeddings=torch.ones(3, 6))
    one, other = (UHerding(h).select(pool, labeled, 9, seeded()) for h in (1.0, 0.1))
    assert one.ids.tolist() != other.ids.tolist()


def test_certain_images_are_drawn_last() -> None:
    pool = make_evidence(20, NEEDS)
    sure = torch.eye(5)[torch.arange(20) % 5]
    sure[4] = 0.2
    certain = Evidence(pool.ids, embeddings=pool.embeddings, calibrated_probabilities=sure)
    labeled = make_evidence(4, UHerding.labeled_needs, seed=1)
    found = UHerding().select(
        certain, Evidence(torch.arange(4), embeddings=labeled.embeddings), 3, seeded()
    )
    assert (found.scores > 0).tolist() == [True, False, False]
    assert int(found.ids[0]) == int(pool.ids[4])
