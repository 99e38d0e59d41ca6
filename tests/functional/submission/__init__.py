"""Submission to a scripted relay over real sockets."""
