"""Event in, effect out: with moto for AWS and a real SMTP server for the relay."""
