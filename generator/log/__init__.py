"""The append-only log: Merkle tree, notes, tiles, entries, proofs; what it says (`ledger`), reading and appending."""
