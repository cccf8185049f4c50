"""What was accepted and how each of it ended: markers, records, receipts, claims, attempts, and the audit over them."""
