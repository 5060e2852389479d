"""Where a customer's data is kept: each place finds it (`contact KEY --held`) and erases it (`--erase`).

One table of places serves both, so what an access request shows is what an erasure reaches.
"""
