"""`make bench`: the same pages through Nightshift and through other programs, speed and accuracy in one table."""
