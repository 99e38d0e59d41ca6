"""Mails that wait for the next month of one account, whatever is in the way of the others, are marked to go then."""
