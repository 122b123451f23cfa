"""Prices and tweets of 88 stocks, and which way they moved."""
