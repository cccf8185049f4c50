"""What no worker can know, for Prometheus: queues, backlog, window, housekeeping, failures; read in the background."""
