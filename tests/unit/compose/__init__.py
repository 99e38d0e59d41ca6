"""Composing mail."""
