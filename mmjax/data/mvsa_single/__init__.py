"""Tweets of a picture and a text, and how they feel."""
