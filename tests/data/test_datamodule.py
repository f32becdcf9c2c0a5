from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.embeddings import Embeddings
from al_lightning.data.folder.image_folder import ImageFolder
from al_lightning.data.pixels.streamed import StreamedPixels
from al_lightning.data.source import ImageData, Images, Normalization
from al_lightning.data.transforms import Normalize, measure_normalization
from al_lightning.run.pool import Pool
from al_lightning.training.recipe import Recipe
from al_lightning.utils.errors import UsageError
from tests.data.folders import fill
from tests.helpers import NORMALIZATION, TinySource, tiny_images, tiny_trainer

TRAIN, TEST = tiny_images(60, seed=0), tiny_images(30, seed=1)


def ids(*values: int) -> Tensor:
    return torch.tensor(values, dtype=torch.int64)


def some_pool(labeled: int = 20, validation: int = 0) -> Pool:
    """A pool whose labels are all wrong: those of the source, plus 1 modulo 3."""
    pool, order = Pool(60), torch.randperm(60, generator=torch.Generator().manual_seed(4))
    wrong = (TRAIN.labels + 1) % 3
    for count, for_validation in ((validation, True), (labeled, False)):
        given, order = order[:count], order[count:]
        pool = pool.reveal(given, wrong[given], validation=for_validation)
    return pool


def in_round(pool: Pool, order_seed: int = 0, **arguments: Any) -> PoolDataModule:
    datamodule = PoolDataModule(TinySource(), **{"batch_size": 8, **arguments})
    datamodule.begin_round(pool, order_seed)
    return datamodule


def served(loader: Any) -> tuple[Tensor, Tensor]:
    """All images and labels of a loader, as they leave it."""
    images, labels = zip(*loader, strict=True)
    return torch.cat(images), torch.cat(labels)


def ids_of(images: Tensor, among: Images = TRAIN) -> list[int]:
    """Which images these are; no two of them are the same."""
    same = (images.flatten(1)[:, None] == among.pixels[:].flatten(1)).all(2)
    assert (same.sum(1) == 1).all()
    return same.int().argmax(1).tolist()


# What the loaders serve


def test_training_serves_the_labeled_images_with_the_labels_that_were_bought() -> None:
    pool = some_pool()
    images, labels = served(in_round(pool).train_dataloader())
    bought = dict(zip(pool.labeled_ids.tolist(), pool.labels.tolist(), strict=True))
    assert dict(zip(ids_of(images), labels.tolist(), strict=True)) == bought


def test_validation_serves_what_was_bought_for_it() -> None:
    pool = some_pool(validation=9)
    images, labels = served(in_round(pool, eval_batch_size=4).val_dataloader())
    assert ids_of(images) == pool.validation_ids.tolist()
    assert torch.equal(labels, (TRAIN.labels[pool.validation_ids] + 1) % 3)


def test_without_validation_labels_there_is_nothing_to_validate() -> None:
    loader = in_round(some_pool()).val_dataloader()
    assert len(loader) == 0
    assert list(loader) == []


def test_testing_serves_the_test_set() -> None:
    images, labels = served(in_round(some_pool(), eval_batch_size=7).test_dataloader())
    assert torch.equal(images, TEST.pixels[:])
    assert torch.equal(labels, TEST.labels)


def test_without_test_images_there_is_nothing_to_test() -> None:
    source = TinySource()
    data = source.load()
    nothing = data.test.rows(ids())
    source.load = lambda: replace(data, test=nothing)  # type: ignore[method-assign]
    loader = PoolDataModule(source).test_dataloader()
    assert len(loader) == 0
    assert list(loader) == []


def test_prediction_serves_the_unlabeled_images_without_their_labels() -> None:
    pool = some_pool(labeled=20, validation=9)
    images, labels = served(in_round(pool, eval_batch_size=7).predict_dataloader())
    assert ids_of(images) == pool.unlabeled_ids.tolist()
    assert labels.tolist() == [-1] * 31


def test_images_are_served_in_the_order_that_is_asked_for() -> None:
    datamodule, order = in_round(some_pool(), eval_batch_size=2), ids(7, 0, 29, 3, 7)
    for among in (TRAIN, TEST):
        images, labels = served(datamodule.images_dataloader(among, order))
        assert ids_of(images, among) == order.tolist()
        assert labels.tolist() == [-1] * 5


def test_loaders_read_the_pool_anew_each_round() -> None:
    datamodule, pool = in_round(some_pool()), some_pool()
    more = pool.unlabeled_ids[3:9]
    later = pool.reveal(more, torch.zeros_like(more))
    later = later.reveal(later.unlabeled_ids[:2], ids(1, 1), validation=True)
    assert len(served(datamodule.train_dataloader())[0]) == 20
    datamodule.begin_round(later, order_seed=1)
    images, labels = served(datamodule.train_dataloader())
    assert sorted(ids_of(images)) == later.labeled_ids.sort().values.tolist()
    assert int((labels == 0).sum()) == int((later.labels == 0).sum())
    assert ids_of(served(datamodule.val_dataloader())[0]) == later.validation_ids.tolist()
    assert ids_of(served(datamodule.predict_dataloader())[0]) == later.unlabeled_ids.tolist()


def test_batches_have_the_sizes_that_were_asked_for() -> None:
    datamodule = in_round(some_pool(20, validation=5), batch_size=8, eval_batch_size=12)
    assert [len(images) for images, _ in datamodule.train_dataloader()] == [7, 7, 6]
    assert [len(images) for images, _ in datamodule.test_dataloader()] == [12, 12, 6]
    assert [len(images) for images, _ in datamodule.predict_dataloader()] == [12, 12, 11]


# The order of training batches


def order_of(order_seed: int, epochs: int = 2) -> list[list[int]]:
    loader = in_round(some_pool(), order_seed).train_dataloader()
    return [ids_of(served(loader)[0]) for _ in range(epochs)]


def test_the_order_of_training_depends_on_the_order_seed_alone() -> None:
    torch.manual_seed(1)
    one = order_of(5)
    torch.manual_seed(2)
    assert order_of(5) == one
    assert order_of(6)[0] != one[0]
    assert one[0] != one[1]


def test_every_round_begins_its_order_anew() -> None:
    datamodule = in_round(some_pool(), order_seed=5)
    orders = []
    for _ in range(2):
        datamodule.begin_round(some_pool(), order_seed=5)
        orders.append(ids_of(served(datamodule.train_dataloader())[0]))
    assert orders[0] == orders[1]


# Normalisation and augmentation


class Paint(nn.Module):
    """An augmentation that cannot be overlooked: all pixels become 255."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.full_like(images, 255)


class Recorder(L.LightningModule):
    """Takes down what Lightning hands to each kind of step."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.seen: dict[str, list[Tensor]] = {}

    def _record(self, kind: str, batch: tuple[Tensor, Tensor]) -> Tensor:
        self.seen.setdefault(kind, []).append(batch[0].detach().clone())
        return self.weight.sum()

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        return self._record("training", batch)

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self._record("validation", batch)

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self._record("test", batch)

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        return self._record("prediction", batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.0)


def test_an_augmentation_of_torchvision_draws_for_every_image() -> None:
    recipe = Recipe(batch_size=20, augmentation=v2.RandomHorizontalFlip())
    datamodule, recorder, pool = recipe.datamodule(TinySource()), Recorder(), some_pool()
    datamodule.begin_round(pool, order_seed=0)
    torch.manual_seed(0)
    tiny_trainer(max_epochs=1).fit(recorder, datamodule=datamodule)
    (images,) = recorder.seen["training"]
    plain = {tuple(image.flatten().tolist()) for image in Normalize(NORMALIZATION)(TRAIN.pixels)}
    untouched = [tuple(image.flatten().tolist()) in plain for image in images]
    assert 0 < sum(untouched) < len(images) == 20


@pytest.mark.parametrize("painted", [False, True])
def test_only_training_is_augmented_and_everything_is_normalized(painted: bool) -> None:
    pool = some_pool(validation=5)
    recipe = Recipe(batch_size=8, augmentation=Paint() if painted else None)
    datamodule, recorder = recipe.datamodule(TinySource()), Recorder()
    datamodule.begin_round(pool, order_seed=0)
    trainer = tiny_trainer(max_epochs=1)
    trainer.fit(recorder, datamodule=datamodule)  # validates within the fit
    trainer.test(recorder, datamodule=datamodule, verbose=False)
    trainer.predict(recorder, datamodule=datamodule)
    seen = {kind: torch.cat(images) for kind, images in recorder.seen.items()}

    normalize = Normalize(NORMALIZATION)
    assert torch.equal(seen["validation"], normalize(TRAIN.pixels[pool.validation_ids]))
    assert torch.equal(seen["test"], normalize(TEST.pixels))
    assert torch.equal(seen["prediction"], normalize(TRAIN.pixels[pool.unlabeled_ids]))
    if painted:
        torch.testing.assert_close(seen["training"], torch.full((20, 1, 8, 8), (1 - 0.3) / 0.25))
    else:
        raw, _ = served(in_round(pool).train_dataloader())
        assert torch.equal(seen["training"], normalize(raw))


def test_published_constants_are_used() -> None:
    datamodule = in_round(some_pool())
    expected = Normalize(NORMALIZATION)(TRAIN.pixels)
    assert torch.equal(datamodule.prepare(TRAIN.pixels[:]), expected)


def test_without_published_constants_those_of_the_labeled_images_are_used() -> None:
    datamodule = PoolDataModule(TinySource(normalization=None))
    for pool in (some_pool(labeled=10, validation=20), some_pool(labeled=15)):
        datamodule.begin_round(pool, order_seed=0)
        labeled = TRAIN.pixels[pool.labeled_ids]
        expected = Normalize(measure_normalization(labeled))(TRAIN.pixels)
        torch.testing.assert_close(datamodule.prepare(TRAIN.pixels[:]), expected)
        prepared = datamodule.prepare(labeled)
        assert float(prepared.mean()) == pytest.approx(0, abs=1e-5)
        assert float(prepared.std(correction=0)) == pytest.approx(1, abs=1e-5)


class ColorSource(TinySource):
    """The same in three channels."""

    def load(self) -> ImageData:
        gray = super().load()
        train, test = (
            Images(i.pixels[:].repeat(1, 3, 1, 1), i.labels) for i in (gray.train, gray.test)
        )
        return ImageData(train, test, gray.classes, Normalization((0.3,) * 3, (0.25,) * 3))


@pytest.mark.parametrize("channels_last", [False, True])
def test_batches_are_laid_out_for_the_network(channels_last: bool) -> None:
    datamodule = PoolDataModule(ColorSource(), channels_last=channels_last)
    datamodule.begin_round(some_pool(), order_seed=0)
    images = datamodule.prepare(datamodule.data.train.pixels[:])
    layout = torch.channels_last if channels_last else torch.contiguous_format
    assert images.is_contiguous(memory_format=layout)
    assert images.shape == (60, 3, 8, 8)


# State


def test_the_source_is_read_once_and_late() -> None:
    source = TinySource()
    datamodule = PoolDataModule(source)
    assert source.loads == 0
    for _ in range(2):
        datamodule.setup("fit")
        datamodule.begin_round(some_pool(), order_seed=0)
        assert len(datamodule.data.train) == 60
    assert source.loads == 1


def test_at_first_nothing_is_labeled() -> None:
    datamodule = PoolDataModule(TinySource())
    datamodule.setup()
    assert (datamodule.pool.size, datamodule.pool.labels_bought) == (60, 0)


def test_the_pool_is_not_what_lightning_saves() -> None:
    datamodule = in_round(some_pool())
    assert datamodule.state_dict() == {}
    datamodule.load_state_dict({})
    assert datamodule.pool.labels_bought == 20
    assert dict(datamodule.hparams) == {}


# Failure


def test_images_before_the_first_round_are_an_error() -> None:
    datamodule = PoolDataModule(TinySource())
    with pytest.raises(UsageError, match=r"begin_round\(\) must come before"):
        datamodule.prepare(TRAIN.pixels[:])


@pytest.mark.parametrize("labeled", [0, 1])
def test_too_few_labels_to_train_on_are_an_error(labeled: int) -> None:
    with pytest.raises(
        UsageError, match=rf"at least 2 labeled images, not {labeled}: raise budget.initial"
    ):
        in_round(some_pool(labeled, validation=30))


@pytest.mark.parametrize("source", ["digits", [(0, 1)], TinySource])
def test_what_is_no_data_set_is_refused(source: Any) -> None:
    with pytest.raises(UsageError, match=r"source must be a data set with `load`, such as Dataset"):
        PoolDataModule(source)


@pytest.mark.parametrize("loaded", [None, tiny_images(4, seed=0)])
def test_a_source_that_loads_something_else_is_named(loaded: Any) -> None:
    class Other:
        def load(self) -> Any:
            return loaded

    module = PoolDataModule(Other())
    for _ in range(2):
        with pytest.raises(UsageError, match="What Other loads must be a ImageData, not"):
            _ = module.data


@pytest.mark.parametrize("key", ["batch_size", "eval_batch_size"])
def test_batches_of_nothing_are_an_error_that_names_the_key(key: str) -> None:
    with pytest.raises(UsageError, match=f"^{key} must be at least 1, not 0"):
        PoolDataModule(TinySource(), **{key: 0})  # type: ignore[arg-type]


# Images that are not in memory


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path / "images", count=10, classes=("ant", "bee", "cow"))


def of_folder(folder: Path, storage: str) -> PoolDataModule:
    source = ImageFolder(
        str(folder),
        image_size=4,
        storage=storage,
        cache_dir=str(folder.parent / "cache"),
        workers=2,
    )
    datamodule = PoolDataModule(source, batch_size=4, eval_batch_size=5)
    labeled = ids(3, 17, 20, 8, 21, 5)
    labels = datamodule.data.train.labels[labeled]
    datamodule.begin_round(Pool(len(datamodule.data.train)).reveal(labeled, labels), order_seed=2)
    return datamodule


def everything(datamodule: PoolDataModule) -> list[Tensor]:
    """All that is served, and what the global generator comes to by it."""
    torch.manual_seed(0)
    train, test = datamodule.train_dataloader(), datamodule.test_dataloader()
    batches = [*train, *train, *datamodule.predict_dataloader(), *test]
    mean = torch.tensor(datamodule.normalization.mean if datamodule.normalization else ())
    return [*(part for batch in batches for part in batch), mean, torch.get_rng_state()]


def test_wherever_the_images_are_the_same_is_served(folder: Path) -> None:
    expected = everything(of_folder(folder, "memory"))
    for storage in ("disk", "stream"):
        served = everything(of_folder(folder, storage))
        assert len(served) == len(expected)
        assert all(map(torch.equal, served, expected))


def test_what_is_slow_to_read_is_read_once_to_train_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datamodule = of_folder(folder, "stream")
    monkeypatch.setattr(StreamedPixels, "read", lambda self, ids: pytest.fail("decoded again"))
    datamodule.begin_round(datamodule.pool, order_seed=3)
    loader = datamodule.train_dataloader()
    assert loader.num_workers == 0
    assert len([*loader, *loader]) == 4


def test_labeled_images_that_do_not_fit_are_read_by_processes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = everything(of_folder(folder, "memory"))
    monkeypatch.setattr("al_lightning.data.pixels.labeled.available_bytes", lambda: 0)
    datamodule = of_folder(folder, "stream")
    assert datamodule.train_dataloader().num_workers == 2
    assert all(map(torch.equal, everything(datamodule), expected))


# What a classifier wants to see


def test_a_classifiers_own_normalisation_goes_before_all_others() -> None:
    own = Normalization((0.5, 0.4, 0.3), (0.2, 0.25, 0.5))
    datamodule = in_round(some_pool())
    datamodule.serve(own)
    for _ in range(2):
        assert datamodule.normalization == own
        expected = (TRAIN.pixels[:2] / 255.0 - torch.tensor(own.mean).view(3, 1, 1)) / torch.tensor(
            own.std
        ).view(3, 1, 1)
        prepared = datamodule.prepare(TRAIN.pixels[:2])
        assert prepared.shape == (2, 3, 8, 8)  # one grey channel becomes three
        torch.testing.assert_close(prepared, expected)
        datamodule.begin_round(some_pool(30), 1)


def test_before_any_label_constants_are_published_or_of_the_pool() -> None:
    datamodule = PoolDataModule(TinySource())
    datamodule.serve(None)
    assert datamodule.normalization == datamodule.constants() == NORMALIZATION
    datamodule = PoolDataModule(TinySource(normalization=None))
    datamodule.serve(None)
    assert datamodule.normalization == measure_normalization(TRAIN.pixels)
    datamodule.begin_round(some_pool(), 0)  # from then on, of the labeled images
    assert datamodule.normalization == measure_normalization(TRAIN.pixels[some_pool().labeled_ids])


def test_embeddings_are_served_in_the_place_of_pixels_as_they_are() -> None:
    class Spoiled(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            raise AssertionError("embeddings must not be augmented")

    train, test = torch.rand(60, 5), torch.rand(30, 5)
    datamodule, pool = PoolDataModule(TinySource(), 8, augment=Spoiled()), some_pool(validation=9)
    datamodule.serve(NORMALIZATION, Embeddings(train, test, 0.0))
    datamodule.begin_round(pool, 0)
    rows, labels = served(datamodule.train_dataloader())
    bought = {
        tuple(train[i].tolist()): c for i, c in zip(pool.labeled_ids, pool.labels, strict=True)
    }
    assert {tuple(row.tolist()): c for row, c in zip(rows, labels, strict=True)} == bought
    assert torch.equal(served(datamodule.val_dataloader())[0], train[pool.validation_ids])
    assert torch.equal(served(datamodule.test_dataloader())[0], test)
    assert torch.equal(served(datamodule.predict_dataloader())[0], train[pool.unlabeled_ids])
    datamodule.trainer = tiny_trainer()
    datamodule.trainer.training = True
    batch = datamodule.on_after_batch_transfer((train[:3], labels[:3]), 0)
    assert torch.equal(batch[0], train[:3])


def test_other_images_are_served_as_pixels_whatever_is_embedded() -> None:
    datamodule = PoolDataModule(TinySource())
    datamodule.serve(NORMALIZATION, Embeddings(torch.rand(60, 5), torch.rand(30, 5), 0.0))
    new = tiny_images(4, seed=7)
    assert torch.equal(served(datamodule.images_dataloader(new, ids(3, 0)))[0], new.pixels[[3, 0]])
