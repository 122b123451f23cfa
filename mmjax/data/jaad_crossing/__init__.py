"""Pedestrians at the roadside, and whether they cross."""
