"""Oracles that know the labels."""
