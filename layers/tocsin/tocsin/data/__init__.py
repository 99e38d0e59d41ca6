"""Knowledge kept as data: read once when it is first needed, checked by tests."""
