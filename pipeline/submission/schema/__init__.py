"""JSON Schemas of external input; they ship with the package."""
