"""Whether the runs of a part were made alike, so that they can be compared."""

from collections.abc import Iterable, Mapping
from typing import Any

from al_lightning.run.keys import NO_EFFECT_ON_RESULTS, is_below
from al_lightning.utils.nested import leaves

#: What runs of a part differ in by plan, or may differ in.
_MAY_DIFFER = ("seed", "strategy", "names", "budget_override", *NO_EFFECT_ON_RESULTS)


def differing_settings(configs: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the keys, dotted, that are not the same in all recorded configurations, sorted.

    A default that was changed between two runs shows here: if results depend on it, the part needs
    another revision. A key that is null counts as absent.
    """
    facts = [
        {
            key: repr(value)
            for key, value in leaves(config)
            if value is not None and not is_below(key, _MAY_DIFFER)
        }
        for config in configs
    ]
    keys = sorted({key for each in facts for key in each})
    return [key for key in keys if len({each.get(key) for each in facts}) > 1]
