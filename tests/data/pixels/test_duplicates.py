import torch

from al_lightning.data.pixels.duplicates import (
    contradictions,
    equal_images,
    image_digests,
    leaks,
    repeats,
)

PIXELS = torch.zeros(8, 3, 4, 4, dtype=torch.uint8)
PIXELS[:, 2, 3, 3] = torch.tensor([0, 1, 2, 1, 0, 3, 1, 4])  # the very last pixel decides
GROUPS = [(0, 4), (1, 3, 6)]


def test_equal_images_are_grouped() -> None:
    assert equal_images(image_digests(PIXELS), range(8)) == GROUPS
    assert equal_images(image_digests(PIXELS), [6, 5, 4, 1]) == [(1, 6)]
    assert equal_images(image_digests(PIXELS), []) == []
    assert equal_images(image_digests(PIXELS.permute(0, 1, 3, 2)), range(8)) == GROUPS


def test_a_brute_force_search_finds_the_same() -> None:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 2, (200, 1, 2, 3), generator=generator, dtype=torch.uint8)
    same = (pixels.flatten(1)[:, None] == pixels.flatten(1)).all(2)
    expected = {tuple(row.nonzero().flatten().tolist()) for row in same}
    assert equal_images(image_digests(pixels), range(200)) == sorted(
        group for group in expected if len(group) > 1
    )


def test_contradictions_look_at_known_classes_alone() -> None:
    assert contradictions(GROUPS, [0, 1, 0, 1, 0, 0, 1, 0]) == []
    assert contradictions(GROUPS, [0, 1, 0, -1, -1, 0, 1, 0]) == []
    assert contradictions(GROUPS, [0, 1, 0, -1, 1, 0, 0, 0]) == [(0, 4), (1, 6)]


def test_repeats_and_leaks_tell_training_from_test() -> None:
    test = [False] * 8
    assert repeats(GROUPS, test) == GROUPS
    assert leaks(GROUPS, test) == []
    test[0] = test[6] = True
    assert repeats(GROUPS, test) == [(1, 3)]
    assert leaks(GROUPS, test) == GROUPS
    test[1] = test[3] = True
    assert repeats(GROUPS, test) == []
    assert leaks(GROUPS, test) == [(0, 4)]
