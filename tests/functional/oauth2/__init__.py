"""Tests of OAuth2 against a scripted identity provider."""
