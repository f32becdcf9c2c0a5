"""Whether a journal may be gone on with."""

import warnings
from collections.abc import Collection, Mapping
from typing import Any

from al_lightning.errors import JournalError
from al_lightning.journal import Journal
from al_lightning.provenance import differing_keys, without

_PARTS = ("config", "classes", "data", "model", "trainer")


def require_same_run(
    journal: Journal, start: Mapping[str, Any], irrelevant: Collection[str]
) -> None:
    """Check that a journal was begun by the run that wants to go on with it.

    Warns where it was begun with other versions of the packages that results depend on.

    Args:
        journal: That has begun.
        start: The start event that the run would write.
        irrelevant: Keys of ``config``, dotted, that may differ.

    Raises:
        JournalError: If it is another run's; names the keys that differ.
    """
    recorded = journal.start or {}
    for part in _PARTS:
        old, new = {part: recorded.get(part)}, {part: start[part]}
        skip = {f"config.{key}" for key in irrelevant}
        if differing := differing_keys(without(old, skip), without(new, skip)):
            listed = "\n  ".join(differing)
            raise JournalError(
                f"{journal.path} was written under another configuration:\n  {listed}\n"
                "Take another folder, the recorded values, or overwrite=true to start anew"
            )
    if differing := differing_keys(recorded.get("versions", {}), start["versions"]):
        warnings.warn(
            f"{journal.path} was begun with other versions, so that later rounds may differ in their "
            f"last bits: {'; '.join(differing)}",
            stacklevel=2,
        )
