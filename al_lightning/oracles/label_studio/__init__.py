"""The oracle whose annotators label in Label Studio."""
