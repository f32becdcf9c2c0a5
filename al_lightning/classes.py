"""The command that changes the classes of a project: ``python -m al_lightning.classes``."""

from al_lightning.inference.classes_command import main

if __name__ == "__main__":
    raise SystemExit(main())
