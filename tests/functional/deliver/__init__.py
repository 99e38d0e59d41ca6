"""DeliverFunction: SQS records in, mails at a relay, journal and events out."""
