"""Search for sampling settings: arms, trials, the winner."""
