"""From a notification and one recipient to a mail object."""
