"""The record of a run: its pool, its budget, its journal, and their rules."""
