"""Tells customers, once and provably, that a document composed by OpenText Exstream is there."""
