from al_lightning.oracles.page.review import suspects


def test_labels_that_contradict_a_sure_guess_come_first() -> None:
    labels = {1: 0, 2: 1, 3: 1, 4: 0, 5: 2}
    guesses = {1: (1, 0.6), 2: (1, 0.8), 3: (1, 0.9), 4: (0, 0.7), 5: (1, 0.95), 9: (0, 0.99)}
    first, second = suspects(labels, guesses)
    assert (first.id, first.guess, first.neighbours) == (5, 1, {2: [], 1: [3, 2]})
    assert (second.id, second.neighbours) == (1, {0: [4], 1: [3, 2]})
    assert suspects(labels, guesses, most=1) == [first]


def test_without_a_contradiction_there_is_none() -> None:
    assert suspects({1: 0}, {1: (0, 0.5)}) == []
    assert suspects({}, {}) == []
