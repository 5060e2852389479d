"""Contrast of colours as WCAG 2.2 computes it, and the nearest colour that one can read."""

import re

_HEX = re.compile(r"#[0-9a-fA-F]{6}")

TEXT_CONTRAST = 4.5
"""The least ratio for text of normal size (WCAG 2.2, 1.4.3, level AA)."""


def is_colour(value: str) -> bool:
    """Whether it is written as `#rrggbb`, the only form that every mail program knows."""
    return _HEX.fullmatch(value) is not None


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1, of `#rrggbb`."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def text_on(background: str) -> str:
    """White or near-black, whichever one reads better on it (one of them always reaches 4.5)."""
    return max(("#ffffff", "#000000"), key=lambda text: contrast(text, background))


def readable(colour: str, background: str) -> str:
    """The colour itself, or mixed with black or white just as far as text in it needs."""
    target = text_on(background)
    mixes = (_mix(colour, target, step / 20) for step in range(21))
    return next(mixed for mixed in mixes if contrast(mixed, background) >= TEXT_CONTRAST)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _mix(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
