"""The images of a run, read again from where its configuration says they are."""

from collections.abc import Mapping

from al_lightning.data.project.project_source import ProjectSource
from al_lightning.data.source import ImageData, ImageSource
from al_lightning.inference.rebuild import rebuild
from al_lightning.inference.recorded_places import resolved
from al_lightning.run.journal import Journal
from al_lightning.utils.errors import UsageError


def has_recorded_data(journal: Journal) -> bool:
    """Return whether a run says where its images come from: those of the command line do."""
    dataset = journal.config.get("dataset")
    return isinstance(dataset, Mapping) and "_target_" in dataset


def load_run_data(journal: Journal, *, trust: bool = False) -> ImageData:
    """Read the images of a run, and check that they are those that it was begun with.

    Relative paths start at the working folder, as they did for the run.

    Args:
        journal: Of a run that has begun.
        trust: Whether to make other classes than al_lightning's, which executes their code; only for
            runs that you trust.

    Raises:
        UsageError: If the run does not say where its images are, or they are others; names the run.
        DataError: If the images are not there, or cannot be read; names them.
    """
    run = journal.path.parent
    if not has_recorded_data(journal):
        raise UsageError(
            f"{run} does not say where its images are, since it was made without the command line"
        )
    dataset = resolved(journal.config["dataset"], journal.config, "dataset")
    source: ImageSource = rebuild(dataset, "dataset", trust=trust)
    if journal.is_project:
        source = ProjectSource(source, run, journal)
    try:
        data = source.load()
    except UsageError as error:
        raise UsageError(
            f"The images of {run} cannot be read: {error}\nThe run has recorded its paths as they were "
            "written: use the working folder of the run"
        ) from error
    recorded = (journal.start or {}).get("data", {}).get("fingerprint")
    if data.update is None and data.fingerprint() != recorded:
        raise UsageError(
            f"The images are not those that {run} was begun with: restore the images of the run"
        )
    return data
