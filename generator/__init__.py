"""Prior Art Press: write, check, publish and verify machine-written prior art. Imports nothing."""

__version__ = "0.7.0"
