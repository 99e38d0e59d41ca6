"""The demo identity provider: a small OAuth2 and OpenID Connect server on loopback."""
