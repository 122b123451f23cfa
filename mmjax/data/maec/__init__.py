"""Earnings calls, heard and read, and how volatile the stock was after."""
