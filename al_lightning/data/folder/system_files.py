"""Files and folders beside a person's images that a system, and no person, has put there."""

import re

#: Folders, in lower case. What is in them are thumbnails, trash and snapshots.
_FOLDERS = frozenset(
    [
        # Windows
        "$recycle.bin",
        "recycler",
        "recycled",
        "system volume information",
        "$extend",
        "onedrivetemp",
        # macOS, and archives that were made there
        "__macosx",
        "temporary items",
        "network trash folder",
        "thevolumesettingsfolder",
        # Linux, Android
        "lost+found",
        "lost.dir",
        "__pycache__",
        # Synology
        "@eadir",
        "#recycle",
        "#snapshot",
        "@sharebin",
        "@sharesnap",
        "@tmp",
        # QNAP
        "@recycle",
        "@recently-snapshot",
        "@__thumb",
        "@transcode",
        "@upload_cache",
        # NetApp
        "~snapshot",
        # Buffalo
        "trashbox",
    ]
)
_REPAIRED = re.compile(r"found\.\d{3}")  # what Windows found on a damaged disk
#: Files, in lower case. None ends as an image does, so leaving them out is not worth a word.
_FILES = frozenset(["thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r"])


def is_system_folder(name: str) -> bool:
    """Return whether a folder of this name belongs to a system: a trash, thumbnails, snapshots."""
    name = name.casefold()
    return name in _FOLDERS or _REPAIRED.fullmatch(name) is not None


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is left out without a word: a person does not see it."""
    return name.startswith(".") or name.casefold() in _FILES
