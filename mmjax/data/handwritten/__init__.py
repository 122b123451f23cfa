"""Six descriptions of 2,000 handwritten digits."""
