"""Tests of links to unsubscribe: from the mail, over the page, to the mails that are not sent."""
