"""The page of the morning report: words, values and plots, laid out by templates."""
