"""Names of the parquet tables, for those who need no more of them."""

TABLES = ("documents", "pages", "entities", "fields", "items")
