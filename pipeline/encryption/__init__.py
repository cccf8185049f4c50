"""Encryption at rest: keys, the format of what is encrypted, and encrypted messages."""
