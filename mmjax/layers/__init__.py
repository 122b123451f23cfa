"""Blocks that encoders, decoders and fusions share. A file each: import from the file."""
