"""Five descriptions of 210 photographs of 7 kinds of object."""
