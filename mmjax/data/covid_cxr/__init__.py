"""Chest X-rays with notes, of people who may have COVID-19."""
