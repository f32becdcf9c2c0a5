from al_lightning.oracles.page.leases import Leases


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_no_image_is_lent_twice() -> None:
    leases = Leases(Clock())
    assert leases.take("a", [1, 2, 3, 4, 5], 2) == [1, 2]
    assert leases.take("b", [1, 2, 3, 4, 5], 2) == [3, 4]
    assert leases.take("c", [1, 2, 3, 4, 5], 2) == [5]
    assert leases.holder(3) == "b"
    assert leases.holder(6) is None


def test_a_tab_keeps_its_images_first_and_gives_back_what_it_no_longer_wants() -> None:
    leases = Leases(Clock())
    assert leases.take("a", [1, 2, 3], 2) == [1, 2]
    assert leases.take("a", [9, 2, 3], 2) == [2, 9]
    assert leases.take("b", [1, 2, 3], 3) == [1, 3]


def test_images_of_a_tab_that_is_gone_go_to_others() -> None:
    clock = Clock()
    leases = Leases(clock)
    leases.take("a", [1], 1)
    clock.now = 19.0
    assert leases.take("b", [1], 1) == []
    clock.now = 21.0
    assert leases.take("b", [1], 1) == [1]


def test_an_open_tab_keeps_its_images() -> None:
    clock = Clock()
    leases = Leases(clock)
    leases.connect("a")
    leases.connect("a")  # before the old connection is known to be lost
    leases.take("a", [1], 1)
    clock.now = 200.0
    leases.disconnect("a")
    assert leases.take("b", [1], 1) == []
    leases.disconnect("a")
    clock.now = 221.0
    assert leases.take("b", [1], 1) == [1]


def test_images_of_a_forgotten_tab_go_to_whoever_asks() -> None:
    clock = Clock()
    leases = Leases(clock)
    leases.connect("a")
    leases.take("a", [1, 2, 3], 2)
    clock.now = 290.0
    assert leases.take("a", [1, 2, 3], 2) == [1, 2]  # by itself, since something has changed
    assert leases.holders([2, 3]) == ["a"]
    assert leases.holders([3]) == []
    clock.now = 301.0
    leases.touch("b")
    assert leases.holder(1) is None
    assert leases.take("a", [1, 2, 3], 2) == []
    assert leases.take("b", [1, 2, 3], 2) == [1, 2]
    leases.touch("a")  # its person is back
    assert leases.take("a", [1, 2, 3], 2) == [3]
