"""The night on a broker: when work may run, what a step does, and what happens once a night."""
