"""How a project continues under another configuration."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from al_lightning.run.journal import Journal
from al_lightning.run.keys import FOLLOWED_IN_PROJECTS, OPEN_IN_PROJECTS, is_below
from al_lightning.utils.nested import leaves


@dataclass(frozen=True)
class Setting:
    """A key of the configuration with which a project continues.

    >>> from al_lightning.run.project import Setting
    >>> str(Setting("budget.total", 200, 300))
    'budget.total: 200 -> 300'

    Attributes:
        key: Dotted.
        before: Its value so far; None if it is new.
        after: Its value from here on; None if it is gone.
    """

    key: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """Return the change as one line."""
        return f"{self.key}: {self.before} -> {self.after}"


def changed_settings(
    journal: Journal, config: Mapping[str, Any], irrelevant: Collection[str]
) -> list[Setting]:
    """Return the settings by which a project continues otherwise than it was recorded, by key.

    Args:
        journal: Of the project.
        config: The configuration that it continues with, as plain values.
        irrelevant: Keys, dotted, that no result depends on; they are not compared.
    """
    old, new = dict(leaves(journal.config)), dict(leaves(config))
    return [
        Setting(key, old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
        and (
            is_below(key, FOLLOWED_IN_PROJECTS)
            or (is_below(key, OPEN_IN_PROJECTS) and not is_below(key, irrelevant))
        )
    ]


def continued(journal: Journal, start: Mapping[str, Any]) -> dict[str, Any]:
    """Return the start event that identifies the next fits of a run.

    That of the journal, since its versions and data hold for all of the run; in a project, with the
    settings, the model and the code that it continues with.

    Args:
        journal: Of the run, which has begun.
        start: The start event that the run would write now.
    """
    recorded = dict(journal.start or {})
    if not journal.is_project:
        return recorded
    now = {key: start[key] for key in ("model", "trainer", "code") if key in start}
    return {
        **recorded,
        **now,
        "config": dict(journal.config),
        "classes": list(journal.classes),
    }
