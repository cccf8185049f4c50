"""Every byte from outside comes through here: URLs, the policy on them, HTTP, signatures."""
