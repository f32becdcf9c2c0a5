"""The queries of a run as tables that a spreadsheet opens."""

import csv
import io
from pathlib import Path

from al_lightning.callbacks.loop_callback import LoopCallback, QueryResult
from al_lightning.data.source import ImageData
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal
from al_lightning.utils.files import write_whole
from al_lightning.utils.spreadsheet import cell


class QuerySheets(LoopCallback):
    """Writes ``labeled_round_NN.csv`` for every query: id, score, label, and what else there is.

    What else: the strategy that asked for the image, if several share a query, and its file.

    NN is the first round that trains on these labels, as in the journal. The tables are for reading: no
    sheet that a person fills in has such a name, so that none of them is taken for one.

    Args:
        folder: Where the sheets go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: tuple[str, ...] | None = None
        self._classes: tuple[str, ...] = ()

    def on_run_start(self, journal: Journal, data: ImageData) -> None:
        """Learn the names of files and classes."""
        self._files, self._classes = data.train.files, data.classes

    def on_classes(self, change: ClassChange, data: ImageData) -> None:
        """Learn the new names of classes."""
        self._classes = data.classes

    def on_query(self, query: QueryResult) -> None:
        """Write a sheet."""
        ids = query.ids.tolist()
        columns = {
            "id": ids,
            "score": [f"{score:.9g}" for score in query.scores.tolist()],
            "label": query.labels.tolist(),
            "class": [cell(self._classes[label]) for label in query.labels.tolist()],
        }
        if query.parts:
            columns["part"] = [cell(name) for name in query.parts]
        if self._files is not None:
            columns["file"] = [cell(self._files[i]) for i in ids]
        table = io.StringIO(newline="")
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        # On the disk before the journal says that these labels were bought.
        write_whole(self._folder / f"labeled_{query.name}.csv", table.getvalue())
