"""Settings that all tests share."""

import os

from hypothesis import HealthCheck, settings

# As the template gives it to every function: whichever test imports the metrics first, they have their name.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Tests")

# What the machine lacks is skipped by name; DynamoDB Local where Java and Node are there.
pytest_plugins = [
    "tests.validated_calls",
    "tests.machine",
    "tests.local_dynamodb",
    "tests.browsing",
    "tests.approved",
]

# The same examples on every machine and in every run; a moderate number, so that `make test` stays short.
settings.register_profile(
    "ci",
    max_examples=100,
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# For a long night: other examples each time.
settings.register_profile("search", settings.get_profile("ci"), max_examples=5000, derandomize=False)
settings.load_profile("ci")
