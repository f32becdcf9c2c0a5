"""How a round is trained, scored, and kept."""
