import pytest
import torch

from al_lightning.errors import UsageError
from al_lightning.evidence import Evidence
from al_lightning.strategies import ClusterMargin, functional
from al_lightning.strategies.cluster_margin import average_linkage, in_turns
from tests.strategies.helpers import make_evidence, seeded


def test_average_linkage_by_hand() -> None:
    # Between {0, 1} and {4} the mean distance is 3.5, less than 4 between {4} and {8}.
    rows = torch.tensor([[0.0], [1.0], [4.0], [8.0]])
    labels = average_linkage(rows, 2)
    assert labels[0] == labels[1] == labels[2] != labels[3]


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_the_scale_decides_nothing(scale: float) -> None:
    rows = torch.randn(30, 4, generator=seeded())
    assert torch.equal(average_linkage(rows * scale, 6), average_linkage(rows, 6))


def test_clusters_take_turns_the_smallest_first() -> None:
    labels = torch.tensor([0, 0, 1, 0, 1, 2])
    assert in_turns(labels).tolist() == [5, 2, 0, 4, 1, 3]


def test_a_pick_is_the_smallest_margin_of_its_cluster() -> None:
    pool = make_evidence(200)
    selection = ClusterMargin(factor=4, clusters=10).select(pool, None, 10, seeded())
    assert pool.probabilities is not None
    assert pool.embeddings is not None
    margins = functional.margin(pool.probabilities)
    listed = margins.argsort(descending=True)[:40]
    labels = average_linkage(pool.embeddings[listed], 10)
    expected = {int(pool.ids[listed[(labels == c).nonzero()[0, 0]]]) for c in range(10)}
    assert set(selection.ids.tolist()) == expected


def test_only_the_shortlist_is_looked_at() -> None:
    pool = make_evidence(100)
    assert pool.probabilities is not None
    listed = functional.margin(pool.probabilities).argsort(descending=True)[:20]
    ids = ClusterMargin(factor=2).select(pool, None, 10, seeded()).ids
    assert set(ids.tolist()) <= set(pool.ids[listed].tolist())


def test_equal_images_make_one_cluster() -> None:
    probabilities = torch.randn(30, 3, generator=seeded()).softmax(1)
    pool = Evidence(torch.arange(30), probabilities, torch.zeros(30, 2))
    ids = ClusterMargin().select(pool, None, 5, seeded()).ids
    expected = functional.margin(probabilities).argsort(descending=True)[:5]
    assert ids.tolist() == expected.tolist()


def test_counts_must_be_positive() -> None:
    with pytest.raises(UsageError, match=r"strategy\.factor must be"):
        ClusterMargin(factor=0)
    with pytest.raises(UsageError, match=r"strategy\.clusters must be"):
        ClusterMargin(clusters=0)
