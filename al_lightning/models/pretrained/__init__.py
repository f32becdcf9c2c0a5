"""Pretrained networks, whatever library they come from."""
