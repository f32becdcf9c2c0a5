"""Decoded images: how they are made, and where they are kept."""
