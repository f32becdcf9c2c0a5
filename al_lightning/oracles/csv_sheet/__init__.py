"""A person who labels in a sheet beside a page of images."""
