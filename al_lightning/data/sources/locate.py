"""Where a published data set's files come from: folders in order, then a download."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from al_lightning.utils.errors import DataError


@dataclass(frozen=True)
class PublishedFiles:
    """The files of a published data set and where they may be.

    Attributes:
        title: The data set's name, for messages.
        folder: Folder of the files below a data root, e.g. "MNIST/raw".
        names: The names of the files, all of which are needed.
        fetch: Downloads the data set below the data root it is given.
        endings: What may follow a file's name, the preferred first, e.g. ("", ".gz").
        elsewhere: Folders outside the data root that may hold the files.
        advice: What else a user can do to get the files, a full sentence; may be empty.
    """

    title: str
    folder: str
    names: Sequence[str]
    fetch: Callable[[Path], object]
    endings: Sequence[str] = ("",)
    elsewhere: Sequence[Path] = ()
    advice: str = ""


def locate(files: PublishedFiles, root: Path, *, download: bool) -> Mapping[str, Path]:
    """Find a data set's files in the first folder that has them all, else download them.

    Whether the files are intact is the caller's to check: a damaged file is found like any other,
    so that it is reported rather than passed over.

    Args:
        files: What to look for.
        root: The data root; searched first, and downloaded into.
        download: Whether to download what no folder has.

    Returns:
        The path of each file, by its name.

    Raises:
        DataError: If no place has the files; lists everything tried and what to do.
    """
    target = root / files.folder
    tried = []
    for folder in (target, *files.elsewhere):
        found, trouble = _search(folder, files)
        if not trouble:
            return found
        tried.append(f"{folder}: {trouble}")
    if download:
        trouble = _download(files, root, target)
        found, still = _search(target, files)
        if not still:
            return found
        tried.append(f"download into {target}: {trouble or still}")
    else:
        tried.append("download: switched off by dataset.download=false")
    raise DataError(_not_found(files, root, target, tried))


def _search(folder: Path, files: PublishedFiles) -> tuple[dict[str, Path], str]:
    """Return the files in a folder, and why the folder cannot be used, "" if it can."""
    found = {}
    try:
        if not folder.is_dir():
            return {}, "no such folder"
        for name in files.names:
            paths = (folder / f"{name}{ending}" for ending in files.endings)
            path = next((path for path in paths if path.is_file()), None)
            if path is not None:
                found[name] = path
    except OSError as error:
        return {}, f"cannot be read ({error})"
    missing = [name for name in files.names if name not in found]
    return found, f"lacks {', '.join(missing)}" if missing else ""


def _download(files: PublishedFiles, root: Path, target: Path) -> str:
    """Download the missing files; return why that failed, "" if it did not.

    The download goes to a folder beside the target and each file moves over when all are there.
    So an interrupted download leaves nothing half-written behind, and two runs that download at
    the same time do not write into each other's files.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=root) as staging:
            files.fetch(Path(staging))
            fetched, trouble = _search(Path(staging) / files.folder, files)
            if trouble:
                return f"the download {trouble}"
            target.mkdir(parents=True, exist_ok=True)
            present, _ = _search(target, files)
            for name in fetched.keys() - present.keys():
                fetched[name].replace(target / fetched[name].name)
    except Exception as error:  # whatever a mirror does, the user needs the whole list of places
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    return ""


def _not_found(files: PublishedFiles, root: Path, target: Path, tried: Sequence[str]) -> str:
    """Return the message that files are missing: which, where, and the remedy."""
    names = ", ".join(files.names)
    packing = "".join(f", or each with {ending}" for ending in files.endings if ending)
    put = f"Put the files ({names}{packing}) into {target}."
    return not_found(files.title, put, files.folder or "them", root, tried, files.advice)


def not_found(
    title: str, put: str, folder: str, root: Path, tried: Sequence[str], advice: str = ""
) -> str:
    """Return the message that the files of a data set are missing.

    Args:
        title: Name of the data set.
        put: Where to put which files, a full sentence.
        folder: What the data root has to contain.
        root: The data root.
        tried: The places that were tried, and what was wrong with each.
        advice: What else a user can do to get the files, a full sentence; may be empty.
    """
    remedies = [
        put,
        f"Name the folder that contains {folder} with data_root=FOLDER "
        f"(now: {root}) or the environment variable AL_LIGHTNING_DATA.",
        "Run once where the internet can be reached, with dataset.download=true.",
    ]
    if advice:
        remedies.append(advice)
    lines = [f"{title} was not found. Tried:"]
    lines += [f"  - {place}" for place in tried]
    lines += ["What to do, any one of:"]
    lines += [f"  - {remedy}" for remedy in remedies]
    return "\n".join(lines)
