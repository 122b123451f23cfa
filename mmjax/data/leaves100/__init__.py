"""Three descriptions of 1,600 leaves of 100 plant species."""
