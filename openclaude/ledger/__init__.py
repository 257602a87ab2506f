"""The ledger: an entry for each request of claude, without any text of it, for all profiles."""
