"""Continue a run with the answers that a journal has recorded; a part of page_session.py.

python benchmarks/replay_page.py given.jsonl <arguments of a run with oracle=page>
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch

from al_lightning.cli.app import main
from al_lightning.oracles import PageOracle
from al_lightning.run.questions import Answer, Question

_EVENTS: list[dict[str, Any]] = [
    json.loads(line) for line in Path(sys.argv.pop(1)).read_text().splitlines()
]


def _answer(_self: PageOracle, question: Question) -> Answer:
    """Return the answer that was recorded after this question."""
    place = (question.round, question.origin)
    event = next(
        e for e in _EVENTS if e["event"] == "labels" and (e["round"], e["origin"]) == place
    )
    given, asked = dict(zip(event["ids"], event["labels"], strict=True)), question.ids.tolist()
    ids, late = [i for i in asked if i in given], [i for i in given if i not in asked]
    return Answer(
        torch.tensor(ids, dtype=torch.int64),
        torch.tensor([given[i] for i in ids], dtype=torch.int64),
        late_ids=torch.tensor(late, dtype=torch.int64),
        late_labels=torch.tensor([given[i] for i in late], dtype=torch.int64),
        open_ids=torch.tensor(event.get("open", []), dtype=torch.int64),
    )


if __name__ == "__main__":
    setattr(PageOracle, "answer", _answer)  # noqa: B010 - for mypy, a method is not replaced
    main()
