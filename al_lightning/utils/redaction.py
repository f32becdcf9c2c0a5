"""What is secret does not go to the disk: one filter for everything that is written."""

import os
import re
from collections.abc import Mapping
from typing import Any, TypeVar

MASK = "***"

_T = TypeVar("_T")
_WORD = (
    r"(?:tokens?|passwords?|passwd|passphrase|pass(?![_-])|pwd|pat|secrets?|credentials?|auth|authorization"
    r"|signature|sig|(?:api|access|private|secret)[_-]?keys?)"
)
_BEGIN = r"(?:^|[^a-z]|(?-i:(?<=[a-z0-9])(?=[A-Z])))"  # of a word, also in camelCase
#: A name such as "api_key", "accessToken" or "WANDB_API_KEY", but not "tokenizer".
_SECRET_NAME = re.compile(rf"{_BEGIN}{_WORD}(?:[^a-z]|$)", re.I)
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_VALUE = r"""(?:\$?\{[^}]*\}?|\[[^]]*\]?|(?:(?:Bearer|Basic)\s+)?[^\s&,;/}\]"']+)"""
_PARAMETER = re.compile(rf"""({_BEGIN}{_WORD}["']?\s*[=:]\s*["']?){_VALUE}""", re.I)
_BEARER = re.compile(r"(?<=\bBearer )\s*[\w.~+/=-]{8,}")
_FOLDERS = {"PWD", "OLDPWD"}  # a shell's working folders: no passwords
_SHORTEST = 8  # characters of an environment variable that is looked for: "1" is everywhere


def redacted(value: _T) -> _T:
    """Return a value without passwords, keys and tokens.

    Masked are: user and password in an address; parameters such as ``?token=``; what is kept under a
    name such as ``api_key``; what follows ``Bearer``; and the values of environment variables of such
    a name, wherever they stand.

    Args:
        value: Text, or nested mappings and lists of it.
    """
    known = {
        text
        for name, text in os.environ.items()
        if name not in _FOLDERS and _SECRET_NAME.search(name) and len(text) >= _SHORTEST
    }
    return _redacted(value, sorted(known, key=len, reverse=True))  # type: ignore[no-any-return]


def _redacted(value: Any, known: list[str], *, secret: bool = False) -> Any:
    if isinstance(value, str):
        if secret and value:
            return MASK
        for text in known:
            value = value.replace(text, MASK)
        return _BEARER.sub(MASK, _PARAMETER.sub(rf"\1{MASK}", _USER_INFO.sub(MASK, value)))
    if isinstance(value, Mapping):
        return {
            key: _redacted(inner, known, secret=secret or bool(_SECRET_NAME.search(str(key))))
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(_redacted(inner, known, secret=secret) for inner in value)
    return value
