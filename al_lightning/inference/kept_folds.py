"""Out-of-fold predictions in the folder of a run, so that they are computed once."""

import io
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from al_lightning.run.journal import Journal
from al_lightning.run.pool import Pool
from al_lightning.run.provenance import config_hash
from al_lightning.training.calibration import Calibration
from al_lightning.training.out_of_fold import OutOfFold
from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import require_file, write_whole

_NAME = "out_of_fold.npz"
_FIELDS = ("ids", "labels", "fold_of", "logits")


def kept_folds(
    journal: Journal, identity: str, pool: Pool, pixels: str | None = None
) -> OutOfFold | None:
    """Return the out-of-fold predictions in a run's folder.

    Args:
        journal: Of the run.
        identity: Of the fit of its last weights.
        pool: The labels that they must be of.
        pixels: Digest of the labeled images; None where these are not at hand.

    Returns:
        None if there are none, or they are of other weights, labels or images, or damaged, which is
        warned of.
    """
    path = _path(journal)
    try:
        require_file(path)
        with np.load(path, allow_pickle=False) as arrays:
            if str(arrays["key"]) != _key(identity, pool):
                return None
            if pixels is not None and str(arrays["pixels"]) != pixels:
                return None
            return OutOfFold(*(torch.from_numpy(arrays[name]) for name in _FIELDS))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile) as error:
        warnings.warn(f"{path} cannot be used, and is made again: {error}", stacklevel=2)
        return None


def folds_of(
    journal: Journal, identity: str, pool: Pool, pixels: str, compute: Callable[[], OutOfFold]
) -> OutOfFold:
    """Return the out-of-fold predictions of a run; compute and keep them if they are not there.

    Args:
        journal: Of the run.
        identity: Of the fit of its last weights.
        pool: The labels that they are of.
        pixels: Digest of the labeled images.
        compute: Computes them.

    Warns:
        UserWarning: If they cannot be written, as into a read-only folder: they are made again then.
    """
    if (found := kept_folds(journal, identity, pool, pixels)) is not None:
        return found
    made = compute()
    content = io.BytesIO()
    arrays = {name: getattr(made, name).numpy() for name in _FIELDS}
    key = np.array(_key(identity, pool))
    np.savez(content, key=key, pixels=np.array(pixels), **arrays)
    try:
        write_whole(_path(journal), content.getvalue())
    except UsageError as error:
        warnings.warn(f"Out-of-fold predictions are not kept: {error}", stacklevel=2)
    return made


def kept_calibration(journal: Journal, identity: str) -> Calibration | None:
    """Return the calibration of a run's last weights: by validation labels, or kept predictions.

    Args:
        journal: Of the run.
        identity: Of the fit of its last weights.
    """
    for event in journal.rounds[-1:]:
        if event.get("fit") == identity and "calibration" in event:
            return Calibration(**event["calibration"])
    found = kept_folds(journal, identity, journal.pool)
    return None if found is None else found.calibration()


def _path(journal: Journal) -> Path:
    return journal.path.parent / _NAME


def _key(identity: str, pool: Pool) -> str:
    """Return a digest of what the predictions depend on, other than pixels: a fit, and labels."""
    return config_hash(
        {"fit": identity, "labels": [pool.labeled_ids.tolist(), pool.labels.tolist()]}
    )
