"""Postfix, Dovecot's submission service and Exim, as Debian packages them: started on loopback, removed at the end."""
