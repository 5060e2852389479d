"""What the project costs to run: rates, service calls, CPU, start-up and the bill, measured (`make bench`).

Figures are counts, or ratios of two things measured in turn in one run, so that they mean the same on
another machine. Services are canned (`bench.canned`): calls are serialised, signed and parsed as
on AWS, but nothing leaves the process.
"""
