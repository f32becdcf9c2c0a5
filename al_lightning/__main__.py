"""The command line: ``python -m al_lightning``."""

from al_lightning.cli.app import main

if __name__ == "__main__":
    main()
