"""How long something lasts by the wall clock, which goes on in a frozen function but may be set back."""


def lasts(since: float, seconds: float, now: float) -> bool:
    """Whether less than `seconds` have passed since `since`; both times are epoch seconds.

    False where the clock was set back to before `since`: what is kept is renewed, not kept for too long.
    """
    return 0 <= now - since < seconds
