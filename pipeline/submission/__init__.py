"""How work gets in: the message contract, acceptance, and the producer."""
