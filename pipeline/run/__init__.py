"""`nightshift run`: the embedded default, on one machine and without a broker."""
