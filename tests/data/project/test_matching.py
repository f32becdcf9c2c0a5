"""Which file of today is which image of a project: by name and content, by content, by name."""

from collections.abc import Sequence

import pytest

from al_lightning.data.project.manifest import Entry
from al_lightning.data.project.matching import FileState, Matches, match_files


def entry(number: int | None, file: str, digest: str, part: str = "train") -> Entry:
    return Entry(number, part, "", file, len(digest), 1, 1, digest)


KNOWN = [entry(0, "a", "A"), entry(1, "b", "B"), entry(2, "c", "C")]


class Disk:
    """Files of today by name, with their content; all are new but those that are kept."""

    def __init__(self, kept: str, **files: str) -> None:
        self.files = files
        self.kept = kept
        self.read: list[str] = []

    def match(self, entries: Sequence[Entry], absent: Sequence[int] = ()) -> Matches:
        names = [*self.files]
        states = [FileState(n, len(self.files[n]), 1, 1 if n in self.kept else 2) for n in names]

        def read(some: Sequence[int]) -> list[str]:
            self.read += [names[i] for i in some]
            return [self.files[names[i]] for i in some]

        return match_files(entries, absent, states, read)


def ids(found: Matches) -> list[int | None]:
    return [None if e is None else e.id for e in found.entries]


def test_files_with_the_same_name_size_and_time_are_not_read() -> None:
    disk = Disk("abc", a="A", b="B", c="C")
    found = disk.match(KNOWN)
    assert ids(found) == [0, 1, 2]
    assert found.digests == ["A", "B", "C"]
    assert disk.read == []
    assert not found.renamed
    assert not found.changed


def test_a_file_with_another_time_is_read_and_the_same() -> None:
    disk = Disk("bc", a="A", b="B", c="C")
    found = disk.match(KNOWN)
    assert ids(found) == [0, 1, 2]
    assert disk.read == ["a"]
    assert not found.changed


@pytest.mark.parametrize(
    ("kept", "files", "expected", "renamed", "changed"),
    [
        ("bc", {"x": "A", "b": "B", "c": "C"}, [0, 1, 2], {0}, set()),  # renamed
        ("c", {"a": "B", "b": "A", "c": "C"}, [1, 0, 2], {0, 1}, set()),  # swapped
        ("", {"a": "B", "b": "C", "c": "A"}, [1, 2, 0], {0, 1, 2}, set()),  # in a circle
        ("bc", {"a": "D", "b": "B", "c": "C"}, [0, 1, 2], set(), {0}),  # changed
        ("bc", {"x": "D", "b": "B", "c": "C"}, [None, 1, 2], set(), set()),  # both at once
        ("bc", {"a": "D", "b": "B", "c": "C", "x": "A"}, [None, 1, 2, 0], {3}, set()),  # made way
        ("abc", {"a": "A", "b": "B", "c": "C", "x": "A"}, [0, 1, 2, None], set(), set()),  # copied
        ("c", {"b": "A", "c": "C"}, [0, 2], {0}, set()),  # in the place of one that is gone
    ],
)
def test_names_and_contents(
    kept: str,
    files: dict[str, str],
    expected: list[int | None],
    renamed: set[int],
    changed: set[int],
) -> None:
    found = Disk(kept, **files).match(KNOWN)
    assert (ids(found), found.renamed, found.changed) == (expected, renamed, changed)


def test_of_images_with_one_content_those_with_their_names_come_first() -> None:
    twins = [entry(0, "a", "A"), entry(1, "b", "A")]
    assert ids(Disk("", b="A", x="A").match(twins)) == [1, 0]


def test_an_image_that_has_gone_gives_its_name_to_one_that_is_there() -> None:
    same_name = [entry(0, "a", "A"), entry(1, "a", "B")]
    assert ids(Disk("", a="D").match(same_name, absent=[0])) == [1]
    assert ids(Disk("", a="D").match(same_name, absent=[1])) == [0]


def test_an_image_that_has_gone_comes_back_by_its_content_or_its_name() -> None:
    assert ids(Disk("bc", b="B", c="C", x="A").match(KNOWN, absent=[0])) == [1, 2, 0]
    found = Disk("bc", b="B", c="C", a="D").match(KNOWN, absent=[0])
    assert (ids(found), found.changed) == ([1, 2, 0], {2})


def test_a_file_that_was_left_out_takes_over_an_image_or_is_a_new_one() -> None:
    entries = [*KNOWN, entry(None, "copy", "A", "left out"), entry(None, "bad", "?", "left out")]
    found = Disk("bc copy", copy="A", b="B", c="C").match(entries)
    assert (ids(found), found.renamed) == ([0, 1, 2], {0})
    found = Disk("abc", a="A", b="B", c="C", bad="D").match(entries)
    assert found.entries[3] is None  # it can be read now


def test_a_test_image_is_known_by_its_content_too() -> None:
    entries = [*KNOWN, entry(None, "t", "T", "test")]
    found = Disk("abc", a="A", b="B", c="C", u="T").match(entries)
    assert found.entries[3] == entries[3]
