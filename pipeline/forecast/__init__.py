"""When the backlog will be done: pure functions of counts, measured seconds and the window."""
