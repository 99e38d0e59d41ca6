"""Deployment of the built, unchanged template to the local engine. Runs under the engine's own interpreter."""
