"""Pupils of a learning platform, and how well they did."""
