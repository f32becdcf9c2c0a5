"""The command that exports a trained run: ``python -m al_lightning.export``."""

from al_lightning.inference.export_command import main

if __name__ == "__main__":
    raise SystemExit(main())
