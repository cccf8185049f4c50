"""All access to external data: URLs, the policy on them, HTTP, signatures."""
