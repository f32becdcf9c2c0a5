"""The command that reviews the labels of a run: ``python -m al_lightning.review``."""

from al_lightning.inference.review_command import main

if __name__ == "__main__":
    raise SystemExit(main())
