"""Whether a run may continue with a journal."""

import warnings
from collections.abc import Collection, Mapping
from typing import Any

from al_lightning.run.journal import Journal
from al_lightning.run.keys import OPEN_IN_PROJECTS
from al_lightning.run.provenance import differing_keys
from al_lightning.utils.errors import OtherRunError
from al_lightning.utils.nested import without

_PARTS = ("config", "classes", "data", "model", "trainer")
_PARTS_OF_A_PROJECT = ("config",)


def require_same_run(
    journal: Journal, start: Mapping[str, Any], irrelevant: Collection[str]
) -> None:
    """Check that a journal was begun by the run that continues it.

    A project may continue with other code and with other values of the keys of ``OPEN_IN_PROJECTS``.

    Warns where it was begun with other versions of the packages that results depend on. Digests of code
    can be compared under the same versions alone: under others, code that differs is warned of as well.

    Args:
        journal: That has begun.
        start: The start event that the run would write.
        irrelevant: Keys of ``config``, dotted, that may differ. So may ``code``, or a key below it,
            which is then warned of.

    Raises:
        OtherRunError: If it is another run's; names the keys that differ.
    """
    _require_same_kind(journal, start)
    recorded = {**(journal.start or {}), "config": journal.config}
    open_keys = OPEN_IN_PROJECTS if journal.is_project else ()
    skip = {f"config.{key}" for key in (*irrelevant, *open_keys)}
    irrelevant = {*irrelevant, "code"} if journal.is_project else irrelevant
    for part in _PARTS_OF_A_PROJECT if journal.is_project else _PARTS:
        old, new = {part: recorded.get(part)}, {part: start[part]}
        if differing := differing_keys(without(old, skip), without(new, skip)):
            raise OtherRunError(
                f"{journal.path} was written with another configuration:{_listed(differing)}\n"
                f"Use the recorded values, or {_another_place(journal)}"
            )
    versions = differing_keys(recorded.get("versions", {}), start["versions"])
    old, new = {"code": recorded.get("code", {})}, {"code": start.get("code", {})}
    code = differing_keys(old, new)
    if not versions and (
        refused := differing_keys(without(old, irrelevant), without(new, irrelevant))
    ):
        raise OtherRunError(
            f"{journal.path} was written before your code changed:{_listed(refused)}\n"
            "Use another folder, restore that code, or remove the journal to start a new run. If no "
            "result depends on the change, name these keys in RunRecord(irrelevant=[...])"
        )
    if differing := [*versions, *([] if journal.is_project else code)]:
        warnings.warn(
            f"{journal.path} was begun with other versions or other code, which may change later "
            f"rounds: {'; '.join(differing)}",
            stacklevel=2,
        )


def _require_same_kind(journal: Journal, start: Mapping[str, Any]) -> None:
    """Check that both are projects, or neither is, and that a project has the same images.

    Raises:
        OtherRunError: If not; names the folder.
    """
    if journal.is_project != bool(start.get("project")):
        kinds = ("is a run, not a project", "is a project, not a run")
        raise OtherRunError(
            f"{journal.path.parent} {kinds[journal.is_project]}: choose another name or folder"
        )
    before, now = (journal.start or {}).get("data", {}), start["data"]
    if journal.is_project and "manifest" not in before and before != now:
        raise OtherRunError(
            f"The project in {journal.path.parent} has other images than these: choose another name "
            "for these images, or restore the images of the project"
        )


def _another_place(journal: Journal) -> str:
    if journal.is_project:
        return "choose another name: project=NAME"
    return "another folder, or remove the journal to start a new run"


def _listed(differing: Collection[str]) -> str:
    return "".join(f"\n  {line}" for line in differing)
