"""Paired differences, and the claims that they support."""
