"""Images that come and go, in words."""

from al_lightning.run.image_change import ImageChange


def test_only_what_has_happened_is_said() -> None:
    change = ImageChange(9, 0, gone=[1, 2], back=[3], changed=[4], renamed=5, new=6)
    assert str(change) == "6 new, 2 gone, 1 back, 1 changed, 5 renamed"
    assert str(ImageChange(9, 4, gone=[1], tests={"gone": 5})) == "1 gone, 5 test image(s) gone"
    assert str(ImageChange(9, 0)) == ""
