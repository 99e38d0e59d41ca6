"""RefreshFunction: grants that are due in, renewed tokens and warnings out."""
