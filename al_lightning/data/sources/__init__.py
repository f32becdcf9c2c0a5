"""Published data sets, and data sets in memory."""
