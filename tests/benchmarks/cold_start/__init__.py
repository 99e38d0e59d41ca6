"""What `cold_import` starts in fresh processes: programs that find their packages where Lambda keeps them."""
