"""Opinions in videos: what is said, how it sounds, how it looks."""
