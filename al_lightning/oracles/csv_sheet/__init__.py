"""A person labels in a CSV sheet beside a page of images."""
