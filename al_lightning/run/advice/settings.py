"""What advice on stopping is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from al_lightning.utils.checks import require_within, whole_number


@dataclass(frozen=True)
class AdviceSettings:
    """What advice is asked for. No result of a run depends on it.

    >>> AdviceSettings.of({"target": 0.95}).target
    0.95

    Attributes:
        images: Images of the pool whose predictions are compared from round to round; 0 compares none.
        kappa: From which mean kappa of three rounds on predictions are called stable.
        target: The accuracy that is wanted; None for no target.

    Raises:
        UsageError: If a value is not what it must be; names its key.
    """

    images: int = 1000
    kappa: float = 0.99
    target: float | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        whole_number("advice.images", self.images)
        require_within("advice.kappa", self.kappa, "(0, 1]")
        if self.target is not None:
            require_within("advice.target", self.target, "(0, 1)")

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """Return the settings that a configuration has recorded."""
        return cls(**{key: value for key, value in config.items() if key != "_target_"})
