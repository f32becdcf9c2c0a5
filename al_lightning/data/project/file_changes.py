"""What has become of a project's files since it was last started."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from al_lightning.data.project.known_project import ImageUpdate, KnownProject
from al_lightning.data.project.manifest import FORGOTTEN, GONE, LEFT_OUT, TEST, TESTED, TRAIN, Entry
from al_lightning.data.project.matching import FileState, Matches
from al_lightning.run.image_change import ImageChange

_TEST_CHANGES = ("new", "gone", "back", "changed", "now in training")


@dataclass
class _FileChanges:
    """What was found file by file.

    Attributes:
        rows: What is to be added to the manifest.
        relabeled: Images that are in another class than before: classes by id.
        changed: Images with another content.
        renamed: How many files have another name.
        tests: Files of test images that are "new", "gone", "back", "changed" or "now in training".
    """

    rows: list[Entry] = field(default_factory=list)
    relabeled: dict[int, int] = field(default_factory=dict)
    changed: list[int] = field(default_factory=list)
    renamed: int = 0
    tests: dict[str, list[str]] = field(
        default_factory=lambda: {what: [] for what in _TEST_CHANGES}
    )

    def take(self, before: Entry | None, now: Entry) -> None:
        """Take a file of which the manifest says something else, or nothing.

        Args:
            before: What it says.
            now: What is right.
        """
        self.rows.append(now)
        same_kind = before is not None and (before.id is None) == (now.id is None)
        if before is None or not same_kind or before.part == LEFT_OUT:
            if now.part == TEST:
                self.tests["new"].append(now.file)
            elif before is not None and before.part == TEST and now.id is not None:
                self.tests["now in training"].append(now.file)
            return
        self.renamed += before.file != now.file
        if now.id is not None:
            self.changed += [now.id] if before.digest != now.digest else []
        elif before.part != now.part:
            self.tests["back" if now.part == TEST else "gone"].append(now.file)
        elif now.part == TEST and before.digest != now.digest:
            self.tests["changed"].append(now.file)


def changes_of(
    states: Sequence[FileState],
    matches: Matches,
    facts: tuple[Tensor, Tensor, Tensor],
    row_of: Mapping[int, int],
    names: Sequence[str],
    known: KnownProject,
) -> ImageUpdate:
    """Return what has changed since the last start.

    Args:
        states: Of the files of today, N.
        matches: What has become of each.
        facts: Of each, (N,): whether to test on it, whether it can be used, and its label.
        row_of: The position of the file of each training image.
        names: What the class of each is called, N, as the folder or the table has it; "" without one.
        known: The project so far, with the new names of its classes.
    """
    manifest, changes = known.manifest, _FileChanges()
    id_of = {row: i for i, row in row_of.items()}
    unchanged, others = set(manifest.entries), set()
    listed: list[list[int]] = torch.stack(facts, 1).tolist()
    for row, (state, before) in enumerate(zip(states, matches.entries, strict=True)):
        tested, usable, label = listed[row]
        part = (TEST if tested else TRAIN) if usable else LEFT_OUT
        if part == LEFT_OUT and before is not None and before.part in TESTED:
            part = GONE  # it stays a test image, should it be repaired
        name = names[row]
        stat = state.size, state.modified, state.touched
        now = Entry(id_of.get(row), part, name, state.file, *stat, matches.digests[row])
        if now.id is None:
            others.add(now.file)
        if now in unchanged:
            continue
        changes.take(before, now)
        both = before is not None and before.id is not None and now.id is not None
        was = known.current_name(before.label) if before is not None and both else name
        if name and was != known.current_name(name):
            changes.relabeled[id_of[row]] = label
    _take_vanished(changes, states, matches, others, manifest.entries)
    return _as_update(changes, row_of, known)


def _take_vanished(
    changes: _FileChanges,
    states: Sequence[FileState],
    matches: Matches,
    others: set[str],
    entries: Sequence[Entry],
) -> None:
    """Take the names that no file without an id has any more: test images, and files left out.

    Args:
        changes: What was found so far.
        states: Of the files of today.
        matches: What has become of each.
        others: The names of those without an id.
        entries: Of the manifest.
    """
    used, taken = {state.file for state in states}, {*matches.entries}
    for entry in entries:
        if entry.id is not None or entry.file in others:
            continue
        if entry.part not in TESTED or entry in taken or entry.file in used:
            changes.rows.append(replace(entry, part=FORGOTTEN))
        elif entry.part == TEST:
            changes.rows.append(replace(entry, part=GONE))
            changes.tests["gone"].append(entry.file)


def _as_update(
    changes: _FileChanges, row_of: Mapping[int, int], known: KnownProject
) -> ImageUpdate:
    """Return what has changed, for the journal and for messages."""
    manifest = known.manifest
    images = {entry.id: entry for entry in manifest.images}
    here_or_absent = {*row_of, *known.absent}
    content = manifest.appended(changes.rows) if changes.rows else b""
    change = ImageChange(
        size=0,
        test=0,
        gone=sorted(i for i in images if i is not None and i not in here_or_absent),
        back=sorted(i for i in known.absent if i in row_of),
        changed=sorted(changes.changed),
        renamed=changes.renamed,
        manifest=manifest.size + len(content),
        manifest_sha256=manifest.sha256_with(content),
        new=sum(i >= len(images) for i in row_of),
        tests={what: len(files) for what, files in changes.tests.items() if files},
    )
    names = {i: images[i].file for i in (*change.gone, *change.changed)}
    named = {what: changes.tests[what] for what in ("gone", "changed")}
    return ImageUpdate(change, manifest, content, changes.relabeled, names=names, test_names=named)
