"""The active-learning loop, and the choice of the images that it queries."""
