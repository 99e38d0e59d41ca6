"""The data of every type of notification, a module for each family."""
