"""The pages and files of a report."""
