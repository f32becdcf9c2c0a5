"""Lightning without its report and its advice in every fit."""

import logging
import warnings

_ADVICE = (
    ".*does not have many workers.*",
    ".*smaller than the logging interval.*",
    ".*`val_dataloader` but have no `validation_step`.*",
    ".*Experiment logs directory .* exists and is not empty.*",  # of a run that continues
    ".*module\\(s\\) in eval mode at the start of training.*",  # what a backbone keeps frozen
    ".*Total length of `.*` across ranks is zero.*",  # a run without validation labels
    ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",  # Lightning's own call of torch
)


def quiet_lightning() -> None:
    """Keep Lightning from repeating its hardware report and its advice in every fit."""
    logging.getLogger("lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for advice in _ADVICE:
        warnings.filterwarnings("ignore", message=advice)
