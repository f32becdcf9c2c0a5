"""The command line: alone knows Hydra and OmegaConf."""
