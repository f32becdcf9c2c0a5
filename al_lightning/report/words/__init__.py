"""Sentences on the numbers of a setting."""
