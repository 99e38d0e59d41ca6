"""AuthorizeFunction against a scripted identity provider and a scripted relay."""
