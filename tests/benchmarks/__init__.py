"""Benchmarks: each prints its figures and its goal; `make bench` runs them all."""
