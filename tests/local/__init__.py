"""End to end on the local engine: an event on the queue, a mail in the inbox, a word in the journal."""
