from al_lightning.cli.advice import advice_for
from al_lightning.utils.errors import (
    DamagedJournalError,
    DivergenceError,
    JournalError,
    OtherRunError,
    UsageError,
)


def test_keys_of_the_command_line_stand_in_its_advice_and_not_in_the_error() -> None:
    diverged = DivergenceError(1, 2, "the loss is NaN")
    for error in (diverged, OtherRunError("?"), DamagedJournalError("?")):
        advice = advice_for(error)
        assert advice is not None
        assert advice.startswith("Here, ")
        assert "=" in advice
        assert "=" not in str(error)
    assert advice_for(JournalError("?")) is None
    assert advice_for(UsageError("?")) is None
