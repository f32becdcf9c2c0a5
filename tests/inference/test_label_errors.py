import pytest
import torch

from al_lightning.inference.label_errors import find_label_errors


def by_a_plain_loop(
    probabilities: list[list[float]], labels: list[int]
) -> list[tuple[float, int, int]]:
    """Margin, row and suggested class of the doubtful labels, as the paper defines them."""
    classes = range(len(probabilities[0]))
    thresholds = {}
    for j in classes:
        own = [p[j] for p, label in zip(probabilities, labels, strict=True) if label == j]
        if len(own) >= 2:
            thresholds[j] = sum(own) / len(own)
    found = []
    for row, (p, label) in enumerate(zip(probabilities, labels, strict=True)):
        if label not in thresholds:
            continue
        confident = [k for k, threshold in thresholds.items() if p[k] >= threshold]
        if not confident:
            continue
        best = max(confident, key=lambda k: p[k])
        if best != label:
            found.append((p[label] - max(p[k] for k in classes if k != label), row, best))
    return sorted(found)


@pytest.mark.parametrize("seed", range(5))
def test_a_plain_loop_finds_the_same(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.cat([torch.randint(0, 4, (80,), generator=generator), torch.tensor([4])])
    logits = 3 * torch.nn.functional.one_hot(labels, 6) + 1.5 * torch.randn(
        81, 6, generator=generator
    )
    labels[:8] = (labels[:8] + 1) % 4  # wrong ones; class 4 has one label, class 5 none
    probabilities = logits.softmax(1).double()
    found = find_label_errors(probabilities, labels)
    expected = by_a_plain_loop(probabilities.tolist(), labels.tolist())
    assert len(expected) > 3
    assert found.rows.tolist() == [row for _, row, _ in expected]
    assert found.suggested.tolist() == [best for _, _, best in expected]
    assert found.margins.tolist() == pytest.approx([margin for margin, _, _ in expected])
    rows = torch.arange(len(found.rows))
    assert found.confidence.equal(probabilities[found.rows][rows, found.suggested])


def test_three_images_by_hand() -> None:
    probabilities = torch.tensor(
        [[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.85, 0.15], [0.05, 0.95], [0.15, 0.85]]
    )
    labels = torch.tensor([0, 0, 0, 1, 1, 1])  # t_0 = .6, t_1 = .65
    found = find_label_errors(probabilities, labels)
    assert found.rows.tolist() == [3, 2]
    assert found.suggested.tolist() == [0, 1]
    torch.testing.assert_close(found.margins, torch.tensor([-0.7, -0.6]))
    torch.testing.assert_close(found.confidence, torch.tensor([0.85, 0.8]))


def test_the_more_probable_of_two_confident_classes_counts() -> None:
    """Also where it is the label itself: then the label is not doubtful."""
    probabilities = torch.tensor(
        [[0.5, 0.4, 0.1], [0.5, 0.4, 0.1], [0.1, 0.4, 0.5], [0.5, 0.4, 0.1]]
    )
    labels = torch.tensor([0, 0, 1, 1])  # t_0 = .5, t_1 = .4, no image of class 2
    found = find_label_errors(probabilities, labels)
    assert (found.rows.tolist(), found.suggested.tolist()) == ([3], [0])


def test_no_label_is_doubtful_where_all_is_as_labeled() -> None:
    found = find_label_errors(torch.eye(3).repeat(2, 1), torch.arange(6) % 3)
    assert len(found.rows) == len(found.suggested) == len(found.margins) == 0
