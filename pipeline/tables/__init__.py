"""Results as parquet: schemas, rows, masking, one summary per run date."""
