"""`nightshift doctor`: what is wrong with an installation, check by check, each with its cure."""
