"""What Tocsin does, one module per verb; no I/O of its own."""
