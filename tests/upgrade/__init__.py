"""Upgrades from older versions: they run from a checkout of their own, with the packages of this one."""
