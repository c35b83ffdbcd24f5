"""How well models do: `command` is `prior-art evaluate`, `multiple_choice` and `drafting` are its tasks."""
