"""Decoded images: decoding, memory, cache on disk, streaming."""
