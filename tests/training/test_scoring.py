from collections.abc import Collection

import lightning as L
import pytest
import torch
from torch import Tensor, nn

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.source import Images
from al_lightning.data.transforms import Normalize, RandomShift
from al_lightning.models import ImageClassifier
from al_lightning.models.feature_masks import FeatureMasks
from al_lightning.models.offered import Stemmed
from al_lightning.run.pool import Pool
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.training.scoring import Scorer
from al_lightning.utils.errors import UsageError
from tests.helpers import (
    NORMALIZATION,
    Linear,
    TinySource,
    same_weights,
    tiny_classifier,
    tiny_images,
    tiny_trainer,
)

TRAIN, TEST = tiny_images(60, seed=0), tiny_images(30, seed=1)
ORDER = torch.tensor([41, 3, 59, 0, 17, 22, 8, 30, 5, 12, 48])
PLAIN = frozenset({Need.PROBABILITIES, Need.EMBEDDINGS})


def in_round() -> PoolDataModule:
    """A data module that would shift images, if it took scoring for training."""
    datamodule = PoolDataModule(
        TinySource(), batch_size=8, eval_batch_size=4, augment=RandomShift(0.5)
    )
    labeled = torch.arange(20)
    datamodule.begin_round(Pool(60).reveal(labeled, TRAIN.labels[:20]), order_seed=0)
    return datamodule


def score(
    classifier: L.LightningModule,
    needs: Collection[Need],
    images: Images = TRAIN,
    ids: Tensor = ORDER,
    mc_samples: int = 3,
    seed: int = 0,
) -> Evidence:
    scorer = Scorer(tiny_trainer(), classifier, in_round(), mc_samples, seed)
    return scorer.evidence(images, ids, needs)


def with_statistics() -> ImageClassifier:
    """A classifier whose running statistics differ from those of any batch."""
    classifier = tiny_classifier()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(1)
        classifier(2 * torch.rand(50, 1, 8, 8))
    return classifier


@torch.no_grad()
def plain(
    classifier: ImageClassifier, images: Images = TRAIN, ids: Tensor = ORDER
) -> tuple[Tensor, Tensor]:
    """Embeddings and probabilities by hand: evaluation mode, all images at once."""
    modes = {module: module.training for module in classifier.modules()}
    classifier.eval()
    embeddings = classifier.embed(Normalize(NORMALIZATION)(images.pixels[ids]))
    probabilities = classifier.classify(embeddings).softmax(1)
    for module, mode in modes.items():
        module.training = mode
    return embeddings, probabilities


@pytest.mark.parametrize("images", [TRAIN, TEST], ids=["training images", "test images"])
def test_evidence_is_a_plain_forward_pass_row_for_row(images: Images) -> None:
    classifier, ids = with_statistics(), ORDER % len(images)
    evidence = score(classifier, PLAIN, images, ids)
    embeddings, probabilities = plain(classifier, images, ids)
    assert torch.equal(evidence.ids, ids)
    torch.testing.assert_close(evidence.require(Need.EMBEDDINGS), embeddings)
    torch.testing.assert_close(evidence.require(Need.PROBABILITIES), probabilities)


def test_any_order_of_ids_gives_the_same_rows() -> None:
    classifier, turn = with_statistics(), torch.randperm(len(ORDER))
    straight, turned = score(classifier, PLAIN), score(classifier, PLAIN, ids=ORDER[turn])
    for need in PLAIN:
        torch.testing.assert_close(turned.require(need), straight.require(need)[turn])


def test_after_a_fit_images_are_still_seen_as_they_are() -> None:
    datamodule, classifier = in_round(), tiny_classifier()
    trainer = tiny_trainer(max_steps=4, max_epochs=-1, limit_val_batches=0)
    trainer.fit(classifier, datamodule=datamodule)
    for _ in range(2):
        evidence = Scorer(trainer, classifier, datamodule).evidence(TRAIN, ORDER, PLAIN)
        embeddings, probabilities = plain(classifier)
        torch.testing.assert_close(evidence.require(Need.EMBEDDINGS), embeddings)
        torch.testing.assert_close(evidence.require(Need.PROBABILITIES), probabilities)


@pytest.mark.parametrize(
    "needs",
    [{Need.PROBABILITIES}, {Need.EMBEDDINGS}, {Need.MC_PROBABILITIES}, set(PLAIN), set(Need)],
)
def test_only_what_is_needed_is_kept(needs: set[Need]) -> None:
    assert score(tiny_classifier(), needs).quantities().keys() == needs


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_evidence_is_float32_on_the_cpu_and_free_to_use(precision: str) -> None:
    scorer = Scorer(tiny_trainer(precision=precision), tiny_classifier(), in_round(), 2)
    for values in scorer.evidence(TRAIN, ORDER, set(Need)).quantities().values():
        assert (values.dtype, values.device.type) == (torch.float32, "cpu")
        assert not values.requires_grad
        values.add_(1)  # an inference tensor would refuse


def test_the_precision_is_that_of_the_trainer() -> None:
    seen: list[torch.dtype] = []
    classifier = ImageClassifier(Linear(), 3)
    classifier.backbone.get_submodule("output").register_forward_hook(
        lambda _, __, output: seen.append(output.dtype)
    )
    scorer = Scorer(tiny_trainer(precision="bf16-mixed"), classifier, in_round())
    evidence = scorer.evidence(TRAIN, ORDER, {Need.PROBABILITIES})
    assert set(seen) == {torch.bfloat16}
    sums = evidence.require(Need.PROBABILITIES).sum(1)
    torch.testing.assert_close(sums, torch.ones(len(ORDER)))


class Untouchable(L.LightningModule):
    """A classifier that must not be used."""

    def embed(self, images: Tensor) -> Tensor:
        raise AssertionError("a pass was made")

    def classify(self, embeddings: Tensor) -> Tensor:
        raise AssertionError("a pass was made")


def test_where_nothing_is_needed_no_pass_is_made() -> None:
    evidence = score(Untouchable(), [])
    assert torch.equal(evidence.ids, ORDER)
    assert evidence.quantities() == {}
    with pytest.raises(AssertionError, match="a pass was made"):
        score(Untouchable(), PLAIN)


def test_of_no_images_no_pass_is_made() -> None:
    assert len(score(Untouchable(), PLAIN, ids=torch.empty(0, dtype=torch.int64))) == 0


def test_a_pass_looks_at_every_image_once() -> None:
    classifier, seen = tiny_classifier(), []
    first = next(m for m in classifier.modules() if isinstance(m, nn.Conv2d))
    first.register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    score(classifier, PLAIN)
    assert seen == [4, 4, 3]


def test_calibrated_probabilities_are_those_of_logits_over_the_temperature() -> None:
    classifier = with_statistics()
    needs = {Need.CALIBRATED_PROBABILITIES, Need.PROBABILITIES}
    scorer = Scorer(tiny_trainer(), classifier, in_round(), temperature=2.5)
    evidence = scorer.evidence(TRAIN, ORDER, needs)
    _, probabilities = plain(classifier)
    expected = (probabilities.log() / 2.5).softmax(1)
    torch.testing.assert_close(evidence.require(Need.CALIBRATED_PROBABILITIES), expected)
    torch.testing.assert_close(evidence.require(Need.PROBABILITIES), probabilities)


def test_dropped_features_are_the_heads_of_masked_embeddings() -> None:
    classifier = with_statistics()
    evidence = score(classifier, {Need.DROPPED_FEATURES}, mc_samples=2, seed=5)
    embeddings, _ = plain(classifier)
    masks = FeatureMasks(0.75, 5)
    classifier.eval()
    with torch.no_grad():
        expected = [classifier.classify(masks.apply(embeddings, ORDER, k)) for k in range(2)]
    found = evidence.require(Need.DROPPED_FEATURES)
    torch.testing.assert_close(found, torch.stack(expected, 1).softmax(2))


def test_dropped_features_do_not_depend_on_the_other_images() -> None:
    classifier, turn = with_statistics(), torch.randperm(len(ORDER))
    straight = score(classifier, {Need.DROPPED_FEATURES})
    turned = score(classifier, {Need.DROPPED_FEATURES}, ids=ORDER[turn])
    need = Need.DROPPED_FEATURES
    torch.testing.assert_close(turned.require(need), straight.require(need)[turn])


# Monte-Carlo dropout


def test_samples_have_a_mask_each() -> None:
    torch.manual_seed(0)
    evidence = score(with_statistics(), {Need.MC_PROBABILITIES}, mc_samples=7)
    samples = evidence.require(Need.MC_PROBABILITIES)
    assert samples.shape == (len(ORDER), 7, 3)
    torch.testing.assert_close(samples.sum(2), torch.ones(len(ORDER), 7))
    assert (samples.std(1).sum(1) > 1e-4).all()


def test_batch_norm_stays_as_it_is_while_dropout_draws() -> None:
    classifier = with_statistics()
    for module in classifier.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0  # so that nothing but batch norm could change the outputs
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    samples = score(classifier, {Need.MC_PROBABILITIES}).require(Need.MC_PROBABILITIES)
    _, probabilities = plain(classifier)
    torch.testing.assert_close(samples, probabilities[:, None].expand(-1, 3, -1))
    assert all(torch.equal(before[name], v) for name, v in classifier.state_dict().items())


def test_samples_depend_on_the_seed_alone_and_leave_the_global_stream_alone() -> None:
    classifier, draws = with_statistics(), []
    state = torch.get_rng_state()
    for seed in (0, 0, 1):
        evidence = score(classifier, {Need.MC_PROBABILITIES}, seed=seed)
        draws.append(evidence.require(Need.MC_PROBABILITIES))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_dropout_is_off_again_for_the_other_quantities_of_the_pass() -> None:
    classifier = with_statistics()
    evidence = score(classifier, set(Need))
    embeddings, probabilities = plain(classifier)
    torch.testing.assert_close(evidence.require(Need.EMBEDDINGS), embeddings)
    torch.testing.assert_close(evidence.require(Need.PROBABILITIES), probabilities)


@pytest.mark.parametrize("training", [False, True])
def test_a_pass_leaves_the_classifier_as_it_was(training: bool) -> None:
    classifier = with_statistics().train(training)
    score(classifier, set(Need))
    assert {module.training for module in classifier.modules()} == {training}
    assert same_weights(classifier, with_statistics())


class Split(L.LightningModule):
    """Counts its passes; dropout lies where it is told."""

    def __init__(self, in_embed: float, in_head: float) -> None:
        super().__init__()
        self.passes = {"embed": 0, "classify": 0}
        self.first = nn.Linear(64, 6)
        self.in_embed, self.in_head = nn.Dropout(in_embed), nn.Dropout(in_head)
        self.head = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(6, 3))

    def embed(self, images: Tensor) -> Tensor:
        self.passes["embed"] += 1
        embeddings: Tensor = self.in_embed(self.first(images.flatten(1)))
        return embeddings

    def classify(self, embeddings: Tensor) -> Tensor:
        self.passes["classify"] += 1
        logits: Tensor = self.in_head(self.head(embeddings))
        return logits


@pytest.mark.parametrize(
    ("in_embed", "in_head", "needs", "expected"),
    [
        (0.0, 0.5, {Need.MC_PROBABILITIES}, {"embed": 3, "classify": 3 * 5}),
        (0.0, 0.5, set(Need), {"embed": 3, "classify": 3 * 11}),
        (0.0, 0.5, PLAIN, {"embed": 3, "classify": 3}),
        # Where dropout lies in `embed`, one pass more shows it.
        (0.5, 0.5, {Need.MC_PROBABILITIES}, {"embed": 1 + 3 * 5, "classify": 3 * 5}),
        (0.5, 0.0, set(Need), {"embed": 3 * 6, "classify": 3 * 11}),
    ],
)
def test_the_backbone_runs_once_a_batch_unless_dropout_lies_in_it(
    in_embed: float, in_head: float, needs: set[Need], expected: dict[str, int]
) -> None:
    classifier = Split(in_embed, in_head)
    score(classifier, needs, mc_samples=5)
    assert classifier.passes == expected


@pytest.mark.parametrize("in_embed", [0.0, 0.5])
def test_the_samples_of_an_image_are_the_same_in_any_batch(in_embed: float) -> None:
    classifier = Split(in_embed, 0.3)
    for module in (classifier, with_statistics()):
        whole = score(module, {Need.MC_PROBABILITIES}).require(Need.MC_PROBABILITIES)
        for position in (0, 6, 10):  # of the first, the second and the last batch
            alone = score(module, {Need.MC_PROBABILITIES}, ids=ORDER[position : position + 1])
            torch.testing.assert_close(
                alone.require(Need.MC_PROBABILITIES)[0], whole[position], rtol=1e-4, atol=1e-5
            )


def test_a_sample_is_one_subnetwork_for_all_images() -> None:
    """One image many times gives one row many times."""
    classifier, same = with_statistics(), Images(TRAIN.pixels[:1].repeat(60, 1, 1, 1), TRAIN.labels)
    samples = score(classifier, {Need.MC_PROBABILITIES}, same).require(Need.MC_PROBABILITIES)
    torch.testing.assert_close(samples, samples[:1].expand_as(samples), rtol=1e-4, atol=1e-5)
    assert (samples[0].std(0) > 1e-4).any()


def test_embeddings_are_kept_as_they_are_where_a_head_works_in_place() -> None:
    classifier = Split(0.0, 0.5)
    embeddings = score(classifier, set(Need)).require(Need.EMBEDDINGS)
    assert (embeddings < 0).any()


def test_the_mean_of_many_samples_is_that_of_plain_dropout() -> None:
    classifier = Split(0.4, 0.0)
    many = score(classifier, {Need.MC_PROBABILITIES}, ids=ORDER[:2], mc_samples=3000)
    images = Normalize(NORMALIZATION)(TRAIN.pixels[ORDER[:2]])
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        classifier.in_embed.train()
        plainly = classifier.classify(classifier.embed(images.repeat(3000, 1, 1, 1))).softmax(1)
    expected = plainly.reshape(3000, 2, 3).mean(0)
    spread = plainly.reshape(3000, 2, 3).std(0) / 3000**0.5
    difference = many.require(Need.MC_PROBABILITIES).mean(1) - expected
    assert (difference.abs() < 5 * 2**0.5 * spread).all()
    assert (spread > 1e-4).all()  # so that this can fail


class Failing(Split):
    def classify(self, embeddings: Tensor) -> Tensor:
        if self.passes["classify"] == 4:
            raise RuntimeError("out of memory")
        return super().classify(embeddings)


class Varying(Split):
    """Drops an image of each batch, or numbers of its embeddings after the first batch."""

    def __init__(self, drops: bool) -> None:
        super().__init__(0.0, 0.0)
        self.drops, self.width = drops, 7

    def embed(self, images: Tensor) -> Tensor:
        self.width -= 1
        embeddings = super().embed(images)
        return embeddings[1:] if self.drops else embeddings[:, : self.width]

    def classify(self, embeddings: Tensor) -> Tensor:
        return embeddings[:, :3]


@pytest.mark.parametrize(
    ("drops", "message"), [(True, r"\(3, 6\) for 4"), (False, r"\(4, 5\) .*\(4, 6\)")]
)
def test_rows_that_are_missing_or_of_another_length_are_refused(drops: bool, message: str) -> None:
    with pytest.raises(UsageError, match=rf"Varying\.embed has returned {message}"):
        score(Varying(drops), {Need.EMBEDDINGS})


def test_a_pass_that_fails_leaves_no_hooks() -> None:
    classifier = Failing(0.5, 0.5)
    with pytest.raises(RuntimeError, match="out of memory"):
        score(classifier, {Need.MC_PROBABILITIES})
    assert not classifier.in_embed._forward_hooks
    assert not classifier.in_head._forward_hooks


class Offering(Split):
    """Offers something else to evaluate by, and shows by its passes which of the two was used."""

    def __init__(self) -> None:
        super().__init__(in_embed=0.0, in_head=0.5)
        self.offered = Split(in_embed=0.0, in_head=0.5)

    def for_evaluation(self) -> nn.Module:
        return self.offered


def test_what_a_classifier_offers_for_evaluation_is_used() -> None:
    classifier = Offering()
    score(classifier, PLAIN)
    assert classifier.passes["embed"] == 0
    assert classifier.offered.passes["embed"] == 3


class Stems(nn.Module):
    """Counts how often it runs."""

    passes = 0

    def forward(self, images: Tensor) -> Tensor:
        self.passes += 1
        return images.flatten(1).clone()


class Halved(nn.Module):
    """Halves its input, in place or not."""

    def __init__(self, in_place: bool) -> None:
        super().__init__()
        self.in_place = in_place

    def forward(self, maps: Tensor) -> Tensor:
        return maps.mul_(0.5) if self.in_place else maps * 0.5


def test_samples_share_what_comes_before_the_first_dropout() -> None:
    class Sampled(Split):
        def for_sampling(self) -> nn.Module:
            return Stemmed(stem, nn.Sequential(halved, nn.Dropout(0.5), dense), head)

    dense, head, found = nn.Linear(64, 6), nn.Linear(6, 3), []
    classifier = Sampled(in_embed=0.5, in_head=0.5)
    for in_place in (False, True):
        stem, halved = Stems(), Halved(in_place)
        needs = {Need.MC_PROBABILITIES, Need.PROBABILITIES}
        found.append(score(classifier, needs, mc_samples=5).require(Need.MC_PROBABILITIES))
        # Of each of three batches, once for all samples and once without dropout.
        assert stem.passes == 3 * 2
    assert classifier.passes["embed"] == 0
    assert (found[0].std(1).sum(1) > 1e-4).all()
    torch.testing.assert_close(found[0], found[1])


def test_dropout_is_sampled_from_the_classifier_itself() -> None:
    classifier = Offering()
    score(classifier, set(Need))
    assert classifier.passes["embed"] == 3
    assert classifier.offered.passes["embed"] == 0


def test_a_cnn_is_scored_with_its_norms_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier, layers = with_statistics(), []

    def watch(kind: type[nn.Module]) -> None:
        forward = kind.forward

        def watched(layer: nn.Module, images: Tensor) -> Tensor:
            layers.append(kind)
            output: Tensor = forward(layer, images)
            return output

        monkeypatch.setattr(kind, "forward", watched)

    watch(nn.BatchNorm2d)
    watch(nn.Linear)
    score(classifier, PLAIN)
    assert nn.Linear in layers
    assert nn.BatchNorm2d not in layers


def test_a_cnn_with_a_hook_is_scored_with_it() -> None:
    classifier, seen = with_statistics(), []
    norm = next(part for part in classifier.modules() if isinstance(part, nn.BatchNorm2d))
    norm.register_forward_hook(lambda layer, *_: seen.append(type(layer)))
    score(classifier, PLAIN)
    assert set(seen) == {nn.BatchNorm2d}


def test_a_pass_leaves_the_modes_of_all_layers_to_the_next_fit() -> None:
    classifier = with_statistics().train()
    score(classifier, PLAIN)
    assert all(module.training for module in classifier.modules())


def test_a_classifier_with_halves_of_its_own_is_scored_by_them() -> None:
    class Cooled(ImageClassifier):
        def classify(self, embeddings: Tensor) -> Tensor:
            return super().classify(embeddings) * 0

    classifier = Cooled(tiny_classifier().backbone, 3)
    probabilities = score(classifier, PLAIN).require(Need.PROBABILITIES)
    torch.testing.assert_close(probabilities, torch.full((len(ORDER), 3), 1 / 3))
