"""What the command line adds to errors of the library, which knows no keys of a command line."""

from al_lightning.utils.errors import DamagedJournalError, DivergenceError, OtherRunError

_ADVICE: dict[type[Exception], str] = {
    DivergenceError: "Here, recipe.optimizer.lr is the learning rate, and recipe.on_divergence=retry "
    "repeats diverged fits with a lower one",
    OtherRunError: "Here, overwrite=true starts a new run, and changed_code=accept continues with "
    "edited code",
    DamagedJournalError: "Here, overwrite=true starts a new run",
}


def advice_for(error: BaseException) -> str | None:
    """Return which keys of the command line help against an error; None if there is nothing to add."""
    return next((text for kind, text in _ADVICE.items() if isinstance(error, kind)), None)
