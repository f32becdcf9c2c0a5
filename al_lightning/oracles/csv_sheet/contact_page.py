"""A page beside a sheet: it shows the images, and can fill the sheet in."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from al_lightning.utils.pages import environment

Row = Mapping[str, object]


def contact_page(
    template: str,
    name: str,
    columns: Sequence[str],
    rows: Sequence[Row],
    facts: Sequence[Mapping[str, str]],
    pictures: Sequence[str],
    names: Sequence[str],
) -> str:
    """Return a page as HTML.

    Args:
        template: Its file in ``templates``.
        name: Of the sheet, without its ending.
        columns: Of the sheet; the last one is to be filled in.
        rows: Of the sheet, by column; must have ``id``. Texts must be
            :func:`~al_lightning.utils.spreadsheet.cell`s.
        facts: What is shown of each image, by what it is; empty ones are left out.
        pictures: The address of each image.
        names: What may be filled in.
    """
    table = [[str(row.get(column, "")) for column in columns[:-1]] for row in rows]
    images = [
        {"id": str(row["id"]), "file": str(row.get("file", "")), "facts": shown, "picture": picture}
        for row, shown, picture in zip(rows, facts, pictures, strict=True)
    ]
    return (
        environment("al_lightning.oracles.csv_sheet")
        .get_template(template)
        .render(
            name=name,
            columns=columns,
            rows=table,
            images=images,
            names=names,
            # By which a browser remembers what is not saved yet, also when the page is written anew.
            keys=[_key(str(row["id"]), shown) for row, shown in zip(rows, pictures, strict=True)],
        )
    )


def _key(image: str, picture: str) -> str:
    """Return a digest that only an image that looks the same has, and of the same id."""
    return sha256(f"{image} {picture}".encode()).hexdigest()[:16]
