"""The temperature of a round's classifier, for the strategies that need calibrated probabilities."""

from al_lightning.models.backbone import backbone_of
from al_lightning.training.calibration import fit_temperature, to_logits
from al_lightning.training.fitted import Fitted
from al_lightning.training.learner import Learner
from al_lightning.training.learner_facts import learns_from_unlabeled
from al_lightning.training.out_of_fold import TooFewLabelsError, out_of_fold


def temperature_of(learner: Learner, fitted: Fitted) -> float:
    """Return the temperature that calibrates a round's classifier.

    Fitted on the validation labels if there are any, else on out-of-fold predictions of the training
    labels: of all, by five more fits, where the network is frozen and a fit takes a moment; else of a
    fifth, by one more. 1 where there are too few labels, or groups of them, for folds.

    Args:
        learner: Has fitted the classifier.
        fitted: The classifier.

    Raises:
        DivergenceError: If a fit diverges, and there is no fallback.
    """
    pool = fitted.pool
    if len(pool.validation_ids):
        logits = to_logits(fitted.probabilities(pool.validation_ids))
        return fit_temperature(logits, pool.validation_labels)
    try:
        found = out_of_fold(learner, pool, fitted.index, fits=None if _is_frozen(fitted) else 1)
    except TooFewLabelsError:
        return 1.0
    return fit_temperature(found.logits, found.labels)


def _is_frozen(fitted: Fitted) -> bool:
    """Return whether fits are those of a head on cached embeddings."""
    backbone = backbone_of(fitted.classifier)
    if backbone is None or learns_from_unlabeled(fitted.classifier):
        return False
    return backbone.frozen
