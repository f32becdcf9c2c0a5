from al_lightning.utils.listing import shortened


def test_what_is_short_is_whole() -> None:
    assert shortened([], 2) == []
    assert shortened((1, 2), 2) == ["1", "2"]


def test_what_is_long_ends_in_a_count() -> None:
    assert shortened([1, 2, 3], 2) == ["1", "2", "and 1 more"]
