"""The demo inbox: a real SMTP server that keeps what it is given, and web pages to read it."""
