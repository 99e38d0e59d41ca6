"""Adapters on their own, nothing real behind them but loopback sockets."""
