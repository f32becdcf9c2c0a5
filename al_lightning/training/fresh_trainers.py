"""The trainers of a learner: one for all passes, and a fresh one for each fit."""

from collections.abc import Callable
from functools import cached_property

import lightning as L

from al_lightning.training.trainer_rules import require_usable
from al_lightning.utils.errors import UsageError

#: Makes a trainer from the number of a round, and its number of labels to train on.
MakeTrainer = Callable[[int, int], L.Trainer]


class FreshTrainers:
    """Makes trainers, and sees to it that none comes twice: a used one counts its steps on.

    Args:
        make: Makes a trainer.

    Raises:
        UsageError: When used, if it makes no trainer, one that was made before or shares a callback
            with a state, or such as :func:`~al_lightning.training.trainer_rules.require_usable`
            refuses.
    """

    def __init__(self, make: MakeTrainer) -> None:
        self._make = make
        self._made: list[L.Trainer] = []  # that of the passes, and that of the last fit
        self._ahead: dict[tuple[int, int], L.Trainer] = {}  # of the next fit, or nothing

    @cached_property
    def for_passes(self) -> L.Trainer:
        """The trainer of all passes, which is made first."""
        return self._checked(self._make(0, 1))

    def for_fit(self, round_index: int, labels: int) -> L.Trainer:
        """Make the trainer of a fit on so many labels, or return the one that was made ahead."""
        _ = self.for_passes
        ahead, self._ahead = self._ahead.get((round_index, labels)), {}
        return self._checked(self._make(round_index, labels) if ahead is None else ahead)

    def prepare(self, round_index: int, labels: int) -> None:
        """Make a trainer ahead, which :meth:`for_fit` returns if that is the fit that comes.

        That is done where ``make`` says by ``arguments_alone`` that nothing else decides what it makes:
        others may look at the labels of the round, which are not there yet.
        """
        if getattr(self._make, "arguments_alone", False):
            self._ahead = {(round_index, labels): self._make(round_index, labels)}

    def _checked(self, trainer: object) -> L.Trainer:
        if not isinstance(trainer, L.Trainer):
            raise UsageError(
                f"make_trainer must return a lightning.Trainer, not {type(trainer).__name__}"
                + (" (is there a `return`?)" if trainer is None else "")
            )
        require_usable(trainer)
        for earlier in self._made:
            _require_another(trainer, earlier)
        self._made[1:] = [trainer]
        return trainer


def _require_another(trainer: L.Trainer, earlier: L.Trainer) -> None:
    if trainer is earlier:
        raise UsageError(
            "make_trainer gave the same trainer twice. Make a new one at every call: a used one has "
            "counted its steps already, and would not fit again"
        )
    shared = {id(callback) for callback in earlier.callbacks}  # type: ignore[attr-defined]
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if id(callback) in shared and callback.state_dict():
            raise UsageError(
                f"make_trainer gave two trainers one {type(callback).__name__}, which remembers the "
                "rounds before. Make a new one at every call"
            )
