"""Test modules import `facts` and other fixtures of this folder by name."""
