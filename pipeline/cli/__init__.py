"""The `nightshift` command: one command per file, registered in `app`, printed through `screen`."""
