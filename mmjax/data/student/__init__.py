"""Pupils of two Portuguese schools, and their grades in mathematics and in Portuguese."""
