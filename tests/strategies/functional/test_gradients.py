import torch
from torch import Tensor

from al_lightning.strategies.functional.gradients import Gradients


def materialised(probabilities: Tensor, embeddings: Tensor) -> Tensor:
    """The gradients themselves, (N, C * D) float64."""
    errors = probabilities.double()
    errors = errors - torch.nn.functional.one_hot(probabilities.argmax(1), probabilities.shape[1])
    return (errors[:, :, None] * embeddings.double()[:, None, :]).flatten(1)


def some(count: int = 40, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    probabilities = torch.randn(count, 5, generator=generator).softmax(1)
    return probabilities, torch.randn(count, 7, generator=generator)


def test_distances_are_those_of_the_gradients() -> None:
    gradients, full = Gradients(*some()), materialised(*some())
    first, second = torch.tensor([3, 0, 39]), torch.arange(40)
    expected = torch.cdist(full[first], full).square()
    torch.testing.assert_close(gradients.between(first, second), expected)
    torch.testing.assert_close(gradients.squares, full.square().sum(1))


def test_hand_computed() -> None:
    # a = (-.25, .25), h = (2, 0); a' = (.5, -.5), h' = (0, 1)
    gradients = Gradients(
        torch.tensor([[0.75, 0.25], [0.5, 0.5]]), torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    )
    torch.testing.assert_close(gradients.squares, torch.tensor([0.5, 0.5], dtype=torch.float64))
    distance = gradients.between(torch.tensor([0]), torch.tensor([1]))
    torch.testing.assert_close(distance, torch.tensor([[1.0]], dtype=torch.float64))


def test_huge_and_tiny_embeddings_keep_their_distances() -> None:
    for scale in (1e-20, 1e18):
        probabilities, embeddings = some()
        gradients = Gradients(probabilities, embeddings * scale)
        full = materialised(probabilities, embeddings * scale)
        expected = torch.cdist(full, full).square()
        everything = torch.arange(40)
        found = gradients.between(everything, everything)
        assert found.isfinite().all()
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9 * float(expected.max()))


def test_equal_images_are_at_distance_zero_and_none_is_negative() -> None:
    probabilities, embeddings = some()
    gradients = Gradients(probabilities.repeat(2, 1), embeddings.repeat(2, 1) * 1e6)
    between = gradients.between(torch.arange(40), torch.arange(40, 80))
    assert (between >= 0).all()
    assert float(between.diagonal().max()) <= 1e-12 * float(between.max())
