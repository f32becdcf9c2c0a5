"""The configuration, as `pkg://al_lightning.conf` for programs that compose with it."""
