"""An outage of PostgreSQL under load, with `buffer = outage`: what 2 000 watches notice of it, how fast what they sent is stored afterwards, and
whether everything is as if nothing had been.

Before: `run`. After: `place` gives the database, the service and the load generator; the way to PostgreSQL is cut, as if its machine were
gone; a Redis of its own, with a file that is written at each group, is the buffer.
Promise: the load goes on before, during and after the outage at the same rate, until the buffer is empty; every acknowledged record is in the
table once, every event too, and the alerts are those that an evaluation of the whole table gives.
"""

import concurrent.futures
import os
import statistics
import time

from .buffer import SKIPPED, Redis, durable_redis
from .figures import latency, number
from .link import Link
from .place import Trouble, until

MINUTES = float(os.environ.get("OUTAGE_MINUTES", "10"))
BOUND_SECONDS = int(60 * (40 + 2 * MINUTES))
GOAL_TIMES, GOAL_P99_MS = 2, 200
# Together 2 000 watches; events come besides them.
SINGLES = {"connections": 100, "batch": 1, "devices": 1_000, "rate": 500, "breaches": 2, "alarms": 5}
BATCHES = {"connections": 20, "batch": 20, "gateway": None, "devices": 1_000, "rate": 1_500, "breaches": 2}
# Before the outage and after it, in the same run of the load generator.
MARGIN_SECONDS = 5
WINDOW_SECONDS = 20


def run(place, figures):
    """The bench of this name."""
    with durable_redis(place, "always") as url:
        if url is None:
            figures.note(SKIPPED)
            return
        with place.database() as database, Link(database.url) as link:
            settings = {
                "buffer": "outage", "buffer_url": url, "database_url": link.url, "buffer_max_bytes": 8 << 30, "connect_timeout_ms": 2000,
            }  # fmt: skip
            with database.service(**settings) as service:
                outage(place, figures, database, service, link, url)


def outage(place, figures, database, service, link, url):
    seconds, margin = place.scaled(round(60 * MINUTES), 4), place.scaled(MARGIN_SECONDS, 2)
    loads, serials = smaller(place), iter(range(1_000_000, 9_000_000, 10_000))
    reports = []
    with concurrent.futures.ThreadPoolExecutor() as pool:

        def begin(window):
            return [pool.submit(place.simulate, service.url, seconds=window, first_serial=next(serials), **load) for load in loads]

        during = begin(seconds + 2 * margin)
        time.sleep(margin)
        link.cut()
        began = time.monotonic()
        time.sleep(seconds)
        waiting = uploads_in(url)
        link.restore()
        restored, lasted = time.monotonic(), time.monotonic() - began
        before = service.metric("vitals_buffer_drained_records_total")
        emptied = pool.submit(until_empty, url, service)
        reports += [each.result() for each in during]
        after = []
        while not emptied.done():
            after.append([each.result() for each in begin(place.scaled(WINDOW_SECONDS, 2))])
        drained_at, drained = emptied.result()
        reports += [report for window in after for report in window]
    database.settle(600)
    took, rate = drained_at - restored, (drained - before) / max(0.001, drained_at - restored)
    parts = [part for report in reports for part in (report["live"], report["alarms"]) if part]
    refused, failed = sum(part["refused"] for part in parts), sum(sum(part["errors"].values()) for part in parts)
    abandoned = sum(part["abandoned"] for part in parts)
    what = f"PostgreSQL away for {lasted:.0f} s, {number(sum(load['rate'] for load in loads))} records/s"
    figures.add(f"{what}: refused, failed, abandoned", f"{refused}, {failed}, {abandoned}", "0", refused + failed + abandoned == 0)
    figures.add("… uploads that waited when it was back", number(waiting))
    for name, report in zip(("single uploads", "batches of 20"), reports, strict=False):
        figures.add(f"… {name}, outage included", latency(report["live"]["latency"], "p50", "p99", "max"))
    figures.add("… events, outage included", latency(reports[0]["alarms"]["latency"], "p50", "p99", "max"))
    report_draining(figures, loads, after, took, rate)
    verify(figures, database, parts, reports)


def smaller(place):
    """The loads, or in a smoke run less of them."""
    if not place.smoke:
        return [SINGLES, BATCHES]
    return [load | {"connections": 2, "devices": 40, "rate": 40} for load in (SINGLES, BATCHES)]


def report_draining(figures, loads, after, took, rate):
    live = sum(load["rate"] for load in loads)
    figures.add("… drained after", f"{took:.1f} s, at {number(rate)} records/s, live ones among them")
    figures.add("… of the live rate", f"**{rate / live:.1f}**", f"≥ {GOAL_TIMES}", rate >= GOAL_TIMES * live)
    slowest = [max(report["live"]["latency"]["p99_ms"] for report in window) for window in after]
    if slowest:
        figure = f"**{max(slowest):.0f} ms** (of windows: {', '.join(f'{each:.0f}' for each in slowest)})"
        figures.add("… live uploads meanwhile, p99", figure, f"< {GOAL_P99_MS} ms", max(slowest) < GOAL_P99_MS)
        figures.keep("p99 of live uploads while drained", {"windows": slowest, "mean": statistics.mean(slowest)})
    else:
        figures.note("The buffer was empty before the load of the outage ended: there is no window of live uploads beside draining.")


def verify(figures, database, parts, reports):
    """Everything is there once, and the alerts are those of the whole table."""
    acknowledged = sum(part["acknowledged"] for part in parts)
    events = sum(report["alarms"]["acknowledged"] for report in reports if report["alarms"])
    rows, stored_events = (database.number(f"select count(*) from {table}") for table in ("health_data", "device_event"))
    figures.add("… records acknowledged, and in the table", f"{number(acknowledged)} and {number(rows)}", "equal", rows == acknowledged)
    figures.add("… events acknowledged, and in the table", f"{number(events)} and {number(stored_events)}", "equal", stored_events == events)
    alerts, late = (database.number(f"select count(*) from alert where {which}") for which in ("not historical", "historical"))
    replayed = database.number(
        """select count(*) from alert_rule r, lateral vitals.replay_rule(
               r, (select array_agg(distinct device_sn) from health_data), now() - interval '1 day', now() + interval '1 day') d
           where r.enabled and r.kind <> 'silence'"""
    )
    figures.add("… alerts, and those of an evaluation of the whole table", f"{number(alerts)} and {number(replayed)}", "equal", alerts == replayed)
    figures.add("… taken for late", number(late), "0", late == 0)
    if rows != acknowledged or stored_events != events:
        raise Trouble("what was acknowledged and what is stored differ")


def uploads_in(url):
    """Uploads in all streams."""
    with Redis(url) as redis:
        return sum(redis.pipeline([("XLEN", f"vitals:{kind}:{{{n}}}") for kind in ("upload", "urgent_upload") for n in range(64)]))


def until_empty(url, service):
    """When the buffer was empty, and how many records were drained by then."""
    until(lambda: uploads_in(url) == 0, "the buffer is not drained", BOUND_SECONDS)
    return time.monotonic(), service.metric("vitals_buffer_drained_records_total")
