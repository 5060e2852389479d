"""Years of bad nights from one seed: the real functions over simulated services, in one thread."""
