"""Untrained classifiers: a new one at every call, and always the same weights."""

from collections.abc import Callable
from weakref import WeakValueDictionary

import lightning as L
from torch import nn

from al_lightning.training.checkpoint import state_digest
from al_lightning.training.learner_arguments import require_classifier
from al_lightning.utils.errors import UsageError
from al_lightning.utils.global_seed import seeded

MakeClassifier = Callable[[], L.LightningModule]


class FreshClassifiers:
    """Makes the classifier of every round; torch's global random state stays as it was.

    One that was fitted before would be trained on, and its rounds would be no comparison.

    Args:
        make: Makes an untrained classifier.
        seed: Decides its weights.

    Raises:
        UsageError: When called, if what was made is no classifier that can be trained, shares what
            trains with one that was made before, or starts from other weights than that did.
    """

    def __init__(self, make: MakeClassifier, seed: int) -> None:
        self._make = make
        self._seed = seed
        self._made: WeakValueDictionary[int, nn.Parameter] = WeakValueDictionary()
        self._start: str | None = None
        self._ahead: L.LightningModule | None = None

    def __call__(self) -> L.LightningModule:
        """Make a classifier, or return the one that was made ahead."""
        ahead, self._ahead = self._ahead, None
        return self._new() if ahead is None else ahead

    def prepare(self) -> None:
        """Make a classifier ahead; the next call returns it."""
        if self._ahead is None:
            self._ahead = self._new()

    def _new(self) -> L.LightningModule:
        with seeded(self._seed):
            classifier = require_classifier(self._make())
        self._require_own_parameters(classifier)
        self._require_same_start(classifier)
        return classifier

    def _require_own_parameters(self, classifier: L.LightningModule) -> None:
        for name, parameter in classifier.named_parameters():
            if parameter.requires_grad and self._made.get(id(parameter)) is parameter:
                raise UsageError(
                    f"make_classifier gave {name} of a classifier that it made before: every round "
                    "would continue from the last weights. Make new layers at every call; "
                    "warm_start=True continues from the last weights, and records it"
                )
        self._made.update((id(parameter), parameter) for parameter in classifier.parameters())

    def _require_same_start(self, classifier: L.LightningModule) -> None:
        start = state_digest(classifier.state_dict())
        if self._start not in (None, start):
            raise UsageError(
                "make_classifier gave other initial weights than before, and all rounds start from the "
                "same. Let torch's, numpy's or Python's global generator draw them, which are seeded, "
                "and load nothing that training changes"
            )
        self._start = start
