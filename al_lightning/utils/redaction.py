"""What is secret does not go to the disk: one filter for everything that is written."""

import os
import re
from collections.abc import Mapping
from typing import Any, TypeVar

MASK = "***"

_T = TypeVar("_T")
_WORD = (
    "(?:token|password|passwd|pwd|secret|credentials?|signature|sig|(?:api|access|private)[_-]?key)"
)
#: A name such as "api_key" or "WANDB_API_KEY", but not "tokenizer".
_SECRET_NAME = re.compile(rf"(?:^|[^a-z]){_WORD}(?:[^a-z]|$)", re.I)
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_PARAMETER = re.compile(rf"((?:^|[^a-z]){_WORD}[=:])[^\s&,;/}}\]\"']+", re.I)
_FOLDERS = {"PWD", "OLDPWD"}  # a shell's working folders: no passwords
_SHORTEST = 8  # characters of an environment variable that is looked for: "1" is everywhere


def redacted(value: _T) -> _T:
    """Return a value without passwords, keys and tokens.

    Masked are: user and password in an address; parameters such as ``?token=``; what is kept under a
    name such as ``api_key``; and the values of environment variables of such a name, wherever they
    stand.

    Args:
        value: Text, or nested mappings and lists of it.
    """
    known = {
        text
        for name, text in os.environ.items()
        if name not in _FOLDERS and _SECRET_NAME.search(name) and len(text) >= _SHORTEST
    }
    return _redacted(value, sorted(known, key=len, reverse=True))  # type: ignore[no-any-return]


def _redacted(value: Any, known: list[str]) -> Any:
    if isinstance(value, str):
        for secret in known:
            value = value.replace(secret, MASK)
        return _PARAMETER.sub(rf"\1{MASK}", _USER_INFO.sub(MASK, value))
    if isinstance(value, Mapping):
        return {
            key: MASK
            if isinstance(inner, str) and inner and _SECRET_NAME.search(str(key))
            else _redacted(inner, known)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(_redacted(inner, known) for inner in value)
    return value
