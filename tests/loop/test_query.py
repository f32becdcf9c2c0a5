import pytest

from al_lightning.loop.query import require_embeddings_alone
from al_lightning.strategies import Euclidean, FarthestFirst, Margin, Random, Strategy
from al_lightning.utils.errors import UsageError


@pytest.mark.parametrize("strategy", [Random(), FarthestFirst(Euclidean())], ids=["random", "l2"])
def test_strategies_on_embeddings_alone_can_choose_the_first_labels(strategy: Strategy) -> None:
    require_embeddings_alone(strategy)


def test_strategies_that_need_more_cannot() -> None:
    with pytest.raises(UsageError, match="cannot be Margin: it needs probabilities, but no"):
        require_embeddings_alone(Margin())
