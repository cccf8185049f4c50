"""JSON Schemas of what Nightshift takes from outside; they ship with the package."""
