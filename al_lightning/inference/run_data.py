"""The images of a run, read again from where its configuration says they are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from al_lightning.data.project.project_source import ProjectSource
from al_lightning.data.source import ImageData, ImageSource
from al_lightning.inference.rebuild import rebuild
from al_lightning.inference.recorded_places import resolved
from al_lightning.run.journal import Journal
from al_lightning.utils.errors import UsageError

_PLACES = ("path", "root")  # keys of a data set that say where it is


def has_recorded_data(journal: Journal) -> bool:
    """Return whether a run says where its images come from: those of the command line do."""
    dataset = journal.config.get("dataset")
    return isinstance(dataset, Mapping) and "_target_" in dataset


def load_run_data(journal: Journal, *, trust: bool = False, place: Path | None = None) -> ImageData:
    """Read the images of a run, and check that they are those that it was begun with.

    Relative paths start at the folder that holds the run's ``output_root``, or at the working folder.

    Args:
        journal: Of a run that has begun.
        trust: Whether to make other classes than al_lightning's, which executes their code; only for
            runs that you trust.
        place: Where the images are now: a table, or a folder; None if they are where they were.

    Raises:
        UsageError: If the run does not say where its images are, or they are others; names the run.
        DataError: If the images are not there, or cannot be read; names them.
    """
    run = journal.path.parent
    if not has_recorded_data(journal):
        raise UsageError(
            f"{run} does not say where its images are, since it was made without the command line"
        )
    dataset = journal.config["dataset"]
    if place is not None:
        dataset = _moved(dataset, place)
    dataset = _from_anywhere(resolved(dataset, journal.config, "dataset"), journal)
    source: ImageSource = rebuild(dataset, "dataset", trust=trust)
    if journal.is_project:
        source = ProjectSource(source, run, journal)
    try:
        data = source.load()
    except UsageError as error:
        raise UsageError(
            f"The images of {run} cannot be read: {error}\nRelative paths start "
            "at the folder that holds the run's output_root, or at the working folder: use the working "
            "folder of the run, or name where they are now with --data"
        ) from error
    recorded = (journal.start or {}).get("data", {}).get("fingerprint")
    if data.update is None and data.fingerprint() != recorded:
        raise UsageError(
            f"The images are not those that {run} was begun with: restore the images of the run"
        )
    return data


def _from_anywhere(dataset: Mapping[str, Any], journal: Journal) -> dict[str, Any]:
    """Return the configuration of a data set whose places are found from any working folder."""
    root = Path(journal.config.get("output_root", "outputs")).name
    bases = [folder.parent for folder in journal.path.absolute().parents if folder.name == root]
    found = {
        key: str(base / dataset[key])
        for base in bases
        for key in _PLACES
        if isinstance(dataset.get(key), str) and (base / dataset[key]).exists()
    }
    return {**dataset, **found}


def _moved(dataset: Mapping[str, Any], place: Path) -> dict[str, Any]:
    """Return the configuration of a data set that is elsewhere now."""
    key = next((key for key in _PLACES if key in dataset), None)
    if key is None:
        raise UsageError(f"The images of this run are in no folder: leave out {place}")
    return {**dataset, key: str(place)}
