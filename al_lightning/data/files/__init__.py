"""Image files as rows of a data set, before and after they are decoded."""
