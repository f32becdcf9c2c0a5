"""The command that lists and clears caches: ``python -m al_lightning.cache``."""

from al_lightning.cli.cache_command import main

if __name__ == "__main__":
    raise SystemExit(main())
