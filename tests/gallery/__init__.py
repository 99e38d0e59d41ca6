"""Every mail as its readers see it, on one page."""
