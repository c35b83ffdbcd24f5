"""What others say of a checkpoint: time-stamps, Bitcoin, observers, captures; the files below log/anchors/."""
