"""Wording rendered: e-mails and texts for documents, by type, language and channel."""

from .brand import Brand
from .renderer import Renderer
from .texts import WordingError

__all__ = ["Brand", "Renderer", "WordingError"]
