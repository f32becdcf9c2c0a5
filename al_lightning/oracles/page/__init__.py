"""A person labels on a page in the browser, with the model in the loop."""
