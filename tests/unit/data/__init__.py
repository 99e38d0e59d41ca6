"""The data files, held to what they promise."""
