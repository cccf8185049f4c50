"""`nightshift forget`: delete documents and all that came of them, and prove it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import structs

from pipeline.cli import acting, forgotten, nights, options, screen
from pipeline.errors import BrokerUnavailable, ExitCode, NotFound, RunError, UsageError

if TYPE_CHECKING:
    from pipeline.ledger.forgetting import Plan
    from pipeline.night.night import Night
    from pipeline.night.search import Found
    from pipeline.night.selection import Selector


_OLDEST = 100_000  # days; many more before today there is no date
_LETTERS, _LOOKED_FOR = 100_000, 60.0  # as many dead letters as their queue holds, and seconds for a pass


def forget(
    sha256: Annotated[
        str | None, typer.Option("--sha256", metavar="HASH", help="All documents with these bytes.")
    ] = None,
    task_id: Annotated[
        str | None, typer.Option("--task-id", metavar="ID", help="This task, and those derived from it.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option("--tenant", metavar="NAME", help="All documents of a tenant.")
    ] = None,
    older_than: Annotated[
        int | None,
        typer.Option(
            "--older-than",
            min=1,
            max=_OLDEST,
            metavar="DAYS",
            help="What ended on run dates older than this.",
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why, for the tombstone; without personal data.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go; delete nothing.")] = False,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Do not search the whole store afterwards.")
    ] = False,
    no_broker: Annotated[
        bool, typer.Option("--no-broker", help="There is no RabbitMQ that may have dead letters of them.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Finish runs that died; alone, or before this one."),
    ] = False,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Delete documents and everything that came of them; then search the whole store for what is left.

    Bytes, pages, entities, results, failures, rows of tables, lines of receipts, callbacks and dead letters are
    deleted. Bytes that other tasks have as well stay. What is left is a tombstone without personal data, so that the
    audit still passes. Several options together choose what fits all of them. This cannot be undone. After an
    interruption run it again with `--resume`, or let beat finish it within two hours.

    Exit codes: 0 deleted, 1 store unavailable or nothing found, 2 usage error, 3 incomplete: something was found
    afterwards, dead letters may be left, or another document has it inside.

    Example: `nightshift forget --task-id invoice-0815 --dry-run`
    """
    from pipeline import scratch

    night = nights.open_night(store)
    scratch.start(night.settings.temp_dir)
    resumed = 0 if dry_run else _resume(night, at_once=resume)
    if resume and not (sha256 or task_id or tenant or older_than):
        _say_resumed(night, resumed, as_json)
        return
    selector = _selector(night, sha256, task_id, tenant, older_than)
    plan = _plan(night, selector, reason)
    figures: dict[str, Any] = {"resumed": resumed, "store": night.store.url, "dry_run": dry_run}
    if plan is None:
        _nothing(night, selector, figures, as_json)
        return
    if dry_run:
        forgotten.show_plan(plan, figures, as_json)
        return
    _confirm(plan, yes=yes, as_json=as_json)
    acting.record(night.store, "forget", task_id, by=",".join(plan.by), tasks=len(plan.targets), run=plan.run)
    _carry_out(night, plan, figures, no_verify=no_verify, no_broker=no_broker)
    if as_json:
        screen.as_json(figures)
    else:
        screen.say_store(night.store)
        forgotten.show(figures)
    if not figures["complete"]:
        raise typer.Exit(ExitCode.INCOMPLETE)


def _resume(night: Night, *, at_once: bool) -> int:
    """Finish what others have left; raises `RunError` while another process is at work."""
    from pipeline.ledger import forgetting
    from pipeline.night import forget as work

    count = work.resume(night.store, at_once=at_once)
    if other := forgetting.in_progress(night.store):
        raise RunError(
            f"Documents are being forgotten by {other.actor} since {other.begun[:19]} (UTC, run {other.run}): wait "
            "until that ends; if its process died, use --resume.",
            code="forgetting",
        )
    return count


def _say_resumed(night: Night, count: int, as_json: bool) -> None:
    if as_json:
        screen.as_json({"resumed": count, "store": night.store.url})
        return
    screen.say_store(night.store)
    screen.say(f"{count} runs finished." if count else "Nothing was left to finish.")


def _selector(
    night: Night, sha256: str | None, task_id: str | None, tenant: str | None, older_than: int | None
) -> Selector:
    from pipeline.night.selection import Selector

    if not (sha256 or task_id or tenant or older_than):
        raise UsageError("Name the documents: --sha256, --task-id, --tenant, or --older-than.")
    if sha256 and not (len(sha256) == 64 and set(sha256) <= set("0123456789abcdef")):
        raise UsageError(f'Invalid --sha256 "{sha256[:80]}": expected 64 hex digits in lower case.')
    today = date.fromisoformat(nights.run_date("today", night.settings, night.store))
    return Selector(
        sha256=sha256 or "",
        task_id=task_id or "",
        tenant=tenant or "",
        before=(today - timedelta(days=older_than)).isoformat() if older_than else "",
    )


def _plan(night: Night, selector: Selector, reason: str) -> Plan | None:
    from pipeline.ledger.actions import actor
    from pipeline.night import selection

    return selection.plan(night.store, selector, actor=actor(), reason=reason)


def _nothing(night: Night, selector: Selector, figures: dict[str, Any], as_json: bool) -> None:
    """Say that nothing fits; an error, unless it was forgotten before."""
    from pipeline.ledger.forgotten import tombstones

    before = [t for n in (selector.task_id, selector.sha256) if n for t in tombstones(night.store, n)]
    if not before:
        raise NotFound(f"Nothing to forget: no document in {night.store.url} fits.")
    if as_json:
        screen.as_json(figures | {"tasks": 0, "forgotten_before": before, "complete": True})
        return
    screen.say_store(night.store)
    for stone in before:
        screen.say(f"Forgotten before: {stone.at[:19]} (UTC) by {stone.actor}, run {stone.run}.")


def _confirm(plan: Plan, *, yes: bool, as_json: bool) -> None:
    if yes:
        return
    if as_json:
        raise UsageError("With --json nothing is asked: add --yes, or --dry-run.")
    forgotten.show_tasks(plan, "forget")
    if not typer.confirm(f"{forgotten.size(plan)} are deleted. This cannot be undone. Continue?"):
        raise typer.Exit(ExitCode.STOPPED)


def _carry_out(
    night: Night, plan: Plan, figures: dict[str, Any], *, no_verify: bool, no_broker: bool
) -> None:
    from pipeline.night import forget as forgetting

    done = forgetting.carry_out(night.store, plan)
    letters, why = (0, "") if no_broker else _clear_dead(night, plan)
    found = None if no_verify else _search(night, plan)
    versions = {True: "deleted", False: "none", None: "unknown"}[night.store.is_versioned]
    proof: dict[str, Any] = {"dead_letters": letters, "versions": versions}
    if found:
        proof |= {"searched": found.objects, "hits": len(found.hits)}
    forgetting.finish(night.store, plan, done, **proof)
    complete = not (why or done.locked or versions == "unknown" or plan.containers)
    complete = complete and not (found and (found.hits or found.unread))
    figures |= {
        "run": plan.run,
        "working": plan.working,
        "containers": plan.containers,
        "complete": complete,
        "broker": why,
    }
    figures |= structs.asdict(done) | proof | {"search": found}


def _clear_dead(night: Night, plan: Plan) -> tuple[int, str]:
    """Dead letters removed, and why others may be left."""
    from pipeline.night import forget as forgetting
    from pipeline.submission.contract import partial_id
    from tasks import client

    is_about = forgetting.is_about(night.store, plan)
    try:
        swept = client.sweep_dead(
            client.celery(),
            lambda one: is_about(one.letter.task_id or partial_id(one.body)),
            most=_LETTERS,
            seconds=_LOOKED_FOR,
        )
    except BrokerUnavailable as error:
        return 0, error.message
    why = "" if swept.complete else f"{swept.seen} were read in {_LOOKED_FOR:.0f} s, and the queue has more."
    return swept.removed, why


def _search(night: Night, plan: Plan) -> Found:
    from pipeline.night import inventory
    from pipeline.night.search import Search

    kept = inventory.users(night.store, plan.hashes)
    with screen.bar() as bar:
        return Search(night.store, plan, kept).run(screen.track(bar))
