"""Classes that are added, renamed or merged in the course of a project."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from al_lightning.utils.spelling import look_alike_key

_FEWEST = 2


@dataclass(frozen=True)
class ClassChange:
    """A change of the classes; all names in it but new ones are those before it.

    >>> from al_lightning.run.class_change import ClassChange
    >>> change = ClassChange(added=("owl",), renamed={"cat": "kitten"}, merged={"wolf": "dog"})
    >>> change.after(["cat", "dog", "wolf"])
    ['kitten', 'dog', 'owl']
    >>> change.new_labels(["cat", "dog", "wolf"])  # of the three classes there were
    [0, 1, 1]

    Attributes:
        added: New classes; they come last.
        renamed: New names by old ones.
        merged: Classes that take over the images of others, by the names of those.
    """

    added: Sequence[str] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    merged: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Self:
        """Return what a ``classes`` event says."""
        return cls(event["added"], event["renamed"], event["merged"])

    def __str__(self) -> str:
        """Return the change as a text, such as "new owl; cat -> kitten; wolf is now dog"."""
        parts = [f"new {', '.join(self.added)}"] if self.added else []
        parts += [f"{old} -> {new}" for old, new in self.renamed.items()]
        parts += [f"{old} is now {into}" for old, into in self.merged.items()]
        return "; ".join(parts)

    def after(self, classes: Sequence[str]) -> list[str]:
        """Return the names of the classes after it, by label."""
        left = [self.renamed.get(name, name) for name in classes if name not in self.merged]
        return [*left, *self.added]

    def new_labels(self, classes: Sequence[str]) -> list[int]:
        """Return the label that each class has after it."""
        position = {name: label for label, name in enumerate(self.after(classes))}
        return [position[self.new_name(name)] for name in classes]

    def aliases(self, classes: Sequence[str], before: Mapping[str, str]) -> dict[str, str]:
        """Return what classes are called after it, by all names that they have had.

        Args:
            classes: Names before it, by label.
            before: The same, before it.
        """
        names = {**before, **{name: name for name in classes}}
        now = {old: self.new_name(name) for old, name in names.items()}
        return {old: name for old, name in now.items() if old not in self.after(classes)}

    def new_name(self, name: str) -> str:
        """Return what a class is called after it."""
        return self.renamed.get(name, self.merged.get(name, name))

    def problem(self, classes: Sequence[str]) -> str | None:
        """Return why the classes cannot be changed like this; None if they can."""
        touched, into = [*self.renamed, *self.merged], [*self.merged.values()]
        names = self.after(classes)
        wrong = {
            "no such class": [n for n in (*touched, *into) if n not in classes],
            "both renamed and merged": [n for n in self.renamed if n in self.merged],
            "changed in the same step, so that nothing can be merged into it": [
                n for n in into if n in touched
            ],
            "no name of a class": [n for n in names if not isinstance(n, str) or not n.strip()],
            "the name of two classes": [n for n in names if names.count(n) > 1],
        }
        if problem := next((f"{n[0]!r} is {what}" for what, n in wrong.items() if n), None):
            return problem
        if len(names) < _FEWEST:
            return f"fewer than {_FEWEST} classes would be left"
        return None if touched or self.added else "nothing changes"

    def mistakable(
        self, classes: Sequence[str], aliases: Mapping[str, str], skip_marks: Sequence[str] = ()
    ) -> str | None:
        """Return which new name a person may take for another class, or for skipped images; else None.

        Args:
            classes: Names before it, by label.
            aliases: What classes are called before it, by names that they had earlier.
            skip_marks: What marks skipped images in sheets, or has marked them before.
        """
        today = {**{name: name for name in classes}, **aliases}
        new = [*((name, name) for name in self.added), *self.renamed.items()]
        for own, name in new:
            others = [n for n, now in today.items() if now != own] + [n for _, n in new]
            look = look_alike_key(name)
            if alike := [n for n in others if n != name and look_alike_key(n) == look]:
                return (
                    f"{name!r} looks like {alike[0]!r}, which is or was the name of another class: "
                    "sheets, folders and tables could mean either. Choose another name"
                )
            if marks := [mark for mark in skip_marks if look_alike_key(mark) == look]:
                return (
                    f"{name!r} marks skipped images in sheets (oracle.skip_mark={marks[0]}), and "
                    "cannot be a class. Choose another name"
                )
        return None
