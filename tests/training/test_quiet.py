import logging
import warnings

import pytest

from al_lightning.training.quiet import quiet_lightning


def test_advice_of_lightning_is_left_out_and_other_warnings_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("lightning", "lightning.pytorch"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.INFO)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        quiet_lightning()
        warnings.warn(
            "The 'val_dataloader' does not have many workers which may be slow", stacklevel=1
        )
        warnings.warn("something else", stacklevel=1)
    assert [str(warning.message) for warning in caught] == ["something else"]
    assert logging.getLogger("lightning.pytorch").level == logging.WARNING
