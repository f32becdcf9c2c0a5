"""Images of projects, which may come, go and change."""
