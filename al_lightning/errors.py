"""Errors a user can act on."""


class UsageError(Exception):
    """Something the user gave cannot be used; the message says what, and what to do about it.

    The command line shows the message alone, without a traceback.
    """


class DataError(UsageError):
    """A data file is missing, damaged or foreign; the message names it."""


class JournalError(UsageError):
    """A journal is damaged or belongs to another run; the message names file and line, or keys."""
