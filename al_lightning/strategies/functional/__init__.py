"""The formulas behind the strategies, as pure functions."""
