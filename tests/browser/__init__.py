"""A real browser walks the redirect over the local stack."""
