"""What is computed of a setting."""
