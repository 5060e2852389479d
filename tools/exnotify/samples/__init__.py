"""Five small sample runs, one for each use case of the main job, each in another form and encoding.

Their content is fixed; every address is under example.com, every number reserved for fiction.
"""

from .runs import AT, SAMPLES, SampleRun, write_samples

__all__ = ["AT", "SAMPLES", "SampleRun", "write_samples"]
