"""The work itself: recognize, extract, fill, conclude. Each step ends by storing, so each may run twice."""
