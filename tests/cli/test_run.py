import threading

import pytest

from al_lightning.cli.run import quiet_full_disk


def test_only_errors_of_the_disk_are_kept_from_the_hook_which_is_put_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[type[BaseException]] = []

    def others(args: threading.ExceptHookArgs) -> None:
        shown.append(args.exc_type)

    def fail(error: Exception) -> None:
        raise error

    monkeypatch.setattr(threading, "excepthook", others)
    with quiet_full_disk():
        for error in (OSError(28, "No space left on device"), ValueError("another")):
            thread = threading.Thread(target=fail, args=(error,))
            thread.start()
            thread.join()
    assert shown == [ValueError]
    assert threading.excepthook is others
