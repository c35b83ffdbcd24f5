"""Test modules import `facts` and other fixtures of this folder by name."""

from hypothesis import settings

# No deadline: a busy machine is no defect. The same examples each time: what fails here fails everywhere.
settings.register_profile("press", deadline=None, derandomize=True)
settings.load_profile("press")
