"""What the user types, one file for each family of commands."""
