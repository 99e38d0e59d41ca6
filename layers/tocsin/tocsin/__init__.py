"""Carry notifications out through a project's own mail account."""
