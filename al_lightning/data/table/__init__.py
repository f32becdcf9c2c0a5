"""A table of images: files, labels, splits and groups."""
