"""The pool of a project as its files are today, before its command has written down what has gone."""

from collections.abc import Collection
from dataclasses import replace

import torch

from al_lightning.run.pool import Pool


def present(pool: Pool, absent: Collection[int]) -> Pool:
    """Return a pool in which more images are set aside, since they have no file any more.

    >>> import torch
    >>> from al_lightning import Pool
    >>> pool = Pool(4, labeled_ids=torch.tensor([2, 0]), labels=torch.tensor([7, 8]))
    >>> present(pool, {2, 3})
    Pool(1 labeled, 0 for validation, 0 for test, 0 skipped, 1 unlabeled)

    Args:
        pool: As the journal has it.
        absent: Images without a file. Those that the journal has set aside stay so.
    """
    away = torch.tensor([*{*absent, *pool.absent_ids.tolist()}], dtype=torch.int64)
    labeled, validation, test = (
        ~torch.isin(ids, away) for ids in (pool.labeled_ids, pool.validation_ids, pool.test_ids)
    )
    now = replace(
        pool,
        labeled_ids=pool.labeled_ids[labeled],
        labels=pool.labels[labeled],
        validation_ids=pool.validation_ids[validation],
        validation_labels=pool.validation_labels[validation],
        test_ids=pool.test_ids[test],
        test_labels=pool.test_labels[test],
        absent_ids=away,
    )
    return replace(now, absent_labels=pool.labels_bought - now.labels_bought + now.absent_labels)
