"""The command that classifies images by a trained run: ``python -m al_lightning.predict``."""

from al_lightning.inference.predict_command import main

if __name__ == "__main__":
    raise SystemExit(main())
