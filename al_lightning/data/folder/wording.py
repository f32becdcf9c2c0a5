"""What messages call the parts of a data set of files."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """Parts of sentences, for a folder or for a table.

    Attributes:
        images: All images, such as "images below photos".
        in_two_classes: What images of two classes do: "are in folders of different classes".
        add_test: How to give test images: "add a folder test".
        move_to_test: How to test on labeled images: "put a random labeled sample into the folder test".
        with_unlabeled: Where some images have no label: "with a folder unlabeled".
        remove_unlabeled: How to do without these: "remove the folder unlabeled".
    """

    images: str
    in_two_classes: str
    add_test: str
    move_to_test: str
    with_unlabeled: str
    remove_unlabeled: str
