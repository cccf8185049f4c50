"""The morning report: what the night did, what is left, what to do now."""
