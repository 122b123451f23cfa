"""Lines of television series, meant or not."""
