"""From journals to statements."""
