"""Three descriptions of 4,485 photographs of 15 kinds of scene."""
