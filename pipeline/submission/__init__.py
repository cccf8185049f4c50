"""Submission of work: the message contract, acceptance, and the producer."""
