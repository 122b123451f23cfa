"""Three omics of 351 brains, with or without Alzheimer's disease."""
