"""Images of digits, each paired with a spoken one."""
