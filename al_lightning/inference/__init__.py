"""What is done with a trained run: load it, predict by it, export it."""
