"""The active-learning loop, and what decides which images it asks for."""
