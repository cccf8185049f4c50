"""Pattern recognisers: entities found by their format and validated by check digits or the calendar.

`finder` runs all of them; masking imports the few that it needs.
"""
