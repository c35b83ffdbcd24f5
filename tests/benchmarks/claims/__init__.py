"""How well "Paste a claim" finds the twin of a claim that was written in other words."""
