"""What everything stands on: errors, settings, disk, network, canonical JSON, words, intervals, escaping."""
