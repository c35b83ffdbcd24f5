"""The same drafts on many machines: Ray nodes and workers."""
