"""A package, so that its cloud ends with its last test: only one runs in a process."""
