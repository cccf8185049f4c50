"""What happened in a run that failed, made short: faults that don't matter are left out, other documents too."""

from __future__ import annotations

from tests.simulation.documents import sha256
from tests.simulation.run import Outcome, simulate

_RUNS = 300
_QUIET = ("acknowledges", " nights/", " control/")


def shortened(outcome: Outcome, *, runs: int = _RUNS) -> Outcome:
    """The same failure with as few faults, events and documents as can be found within so many runs."""
    size = max(len(outcome.world.faults) // 2, 1)
    while size >= 1 and runs > 0:
        index, shorter = 0, False
        while index < len(faults := outcome.world.faults) and runs > 0:
            only = frozenset(faults[:index] + faults[index + size :])
            other = simulate(outcome.seed, only=only, aims=outcome.aims)
            runs -= 1
            if other.kind == outcome.kind:
                outcome, shorter = other, True
            else:
                index += size
        if size == 1 and not shorter:
            break
        size = max(size // 2, 1)
    return outcome


def story(outcome: Outcome, *, everything: bool = False) -> list[str]:
    """The lines of a run that are about the document of its first finding, or about the surroundings."""
    world = outcome.world
    names = {finding.task_id.partition("#")[0] for finding in outcome.findings[:1]}
    for url, data in world.sources.items():
        if data is not None and any(f"/{name}." in url or f"/{name}-" in url for name in names):
            names.add(sha256(data))
    for name in list(names):
        names |= {sha256(d) for d in outcome.submitted if d.split(b" ")[1:2] == [name.encode()]}
    lines = []
    for event in world.trace:
        surroundings = not event.about and event.what[:1].isalnum()
        mine = any(name in event.what for name in names)
        quiet = any(word in event.what for word in _QUIET)
        if everything or ((surroundings or mine) and not quiet):
            moment = world.at(event.at).strftime("%m-%d %H:%M:%S")
            what = event.what
            for name in names:
                if len(name) == 64:
                    what = what.replace(name, name[:8] + "…")
            lines.append(f"{moment}  {event.who:<22} {what}")
    return lines
