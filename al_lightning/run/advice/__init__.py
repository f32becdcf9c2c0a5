"""When to stop, and how many more labels: advice after every round, never a decision."""
