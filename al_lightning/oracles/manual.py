"""Labels that come from the code that runs the loop."""

from al_lightning.run.questions import Answer, Oracle, Question


class ManualOracle(Oracle):
    """Leaves every question open for :meth:`al_lightning.ActiveLearningLoop.answer`.

    Example:
        >>> import torch
        >>> from al_lightning import ManualOracle, Question
        >>> ManualOracle().answer(Question(0, "initial", torch.tensor([3, 1]))) is None
        True
    """

    def answer(self, question: Question) -> Answer | None:  # noqa: ARG002
        """Return None: the answer comes otherwise."""
        return None

    def instructions(self, question: Question) -> str:
        """Return what is to be called."""
        return (
            f"{len(question.ids)} images need a label: loop.answer(labels) takes a class for "
            "each id of loop.question.ids"
        )
