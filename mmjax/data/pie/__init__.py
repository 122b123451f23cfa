"""Three descriptions of 680 photographs of 68 faces."""
