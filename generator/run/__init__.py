"""A run: its plan and state, drafts judged and queued, shards, regeneration."""
