"""The command that writes, takes and corrects labels: ``python -m al_lightning.labels``."""

from al_lightning.inference.labels_command import main

if __name__ == "__main__":
    raise SystemExit(main())
