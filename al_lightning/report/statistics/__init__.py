"""Paired differences, and what they allow to be claimed."""
