"""The processing steps: recognize, extract, fill, conclude. Each step ends by storing, so each may run twice."""
