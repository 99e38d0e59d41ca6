"""Promises that files make to one another: template, lock, requirements, samples, schema, code."""
