"""Where parts are stored in the work bucket."""


def in_parts(key: str) -> str:
    """A key that a message or a record names, under `parts/`: they name nothing else of the work bucket."""
    return f"parts/{key.removeprefix('parts/')}"
