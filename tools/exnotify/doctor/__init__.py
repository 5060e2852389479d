"""What `exnotify doctor` looks at. Each check is a function of what it needs, in one table; it says what it
found, and what to do.
"""

from .examine import CHECKS, examine
from .finding import Finding, Resolver

__all__ = ["CHECKS", "Finding", "Resolver", "examine"]
