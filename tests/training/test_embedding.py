import torch
from torch import Tensor

from al_lightning import PoolDataModule
from al_lightning.models import ImageClassifier
from al_lightning.training.embedding import embed_images
from tests.helpers import TinySource, tiny_trainer
from tests.models.zoo import NORMALIZATION, tiny_pretrained


def test_embeddings_come_batch_by_batch_in_order_and_without_a_trace() -> None:
    datamodule = PoolDataModule(TinySource(), eval_batch_size=25)
    datamodule.serve(NORMALIZATION)
    classifier = ImageClassifier(tiny_pretrained(dropout=0.5), 3)
    classifier.train()
    data, seen, state = datamodule.data, list[Tensor](), torch.get_rng_state()
    sets = [(data.test, torch.tensor([3, 1])), (data.train, torch.arange(60))]
    embed_images(tiny_trainer(), classifier, datamodule, sets, seen.append)
    assert [len(rows) for rows in seen] == [2, 25, 25, 10]
    assert not any(rows.requires_grad for rows in seen)
    assert torch.get_rng_state().equal(state)
    classifier.eval()
    with torch.no_grad():
        expected = classifier.embed(datamodule.prepare(data.test.pixels[[3, 1]]))
    torch.testing.assert_close(seen[0], expected)
