"""The room of the device: one process that holds the models and computes for all documents in progress."""
