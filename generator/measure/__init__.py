"""How well it does: the report, controls, diversity, memorisation."""
