"""Kinds of paper of one file each: tickets, bills, papers of banks, cards, contracts."""
