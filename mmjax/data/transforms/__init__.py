"""Preprocessing: steps that are fitted on train, kept with the runs, and applied to new examples."""
