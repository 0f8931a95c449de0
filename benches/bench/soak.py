"""Half the load for ten minutes: does anything grow that should not?

Before: `run`. After: one service, one database: its best, then half of that for so long, looked at every few seconds.
Promise: what is compared is minute against minute of one run, the second with the last, so that nothing is hidden in a mean of
the whole; what was acknowledged is counted in the table afterwards.
"""

import threading
import time

from .figures import latency, number
from .place import BATCHES, Trouble

# Bound of the whole bench, seconds: with the search for the load and the end.
BOUND_SECONDS = 20 * 60
LAG_MS, GROWTH = 300, 1.1
HISTOGRAMS = {"upload": "vitals_http_request_seconds", "reaction": "vitals_relay_reaction_seconds"}


def run(place, figures):
    """The bench of this name."""
    window, windows = place.scaled(60, 2), place.scaled(10, 3)
    with place.database() as database, database.service() as service:
        full = place.load(service.url, **BATCHES)["records_per_second"]
        database.settle()
        before = database.number("select count(*) from health_data")
        over, looks = threading.Event(), []
        looking = threading.Thread(target=look, args=(service, window, over, looks))
        looking.start()
        try:
            live = place.load(service.url, **BATCHES, rate=round(full / 2), breaches=2.5, seconds=window * windows)
        finally:
            over.set()
            looking.join()
        database.settle()
        stored = database.number("select count(*) from health_data") - before
    told = [minute for minute in looks if minute["seconds"] > window / 2]
    if len(told) < 2:
        raise Trouble(f"only {len(told)} windows of {window} s were looked at")
    figures.add(f"half load for {number(window * windows)} s: {number(live['records_per_second'])} records/s", latency(live["latency"]))
    # Had an upload failed, there would be no figures.
    figures.add("… refused", number(live["refused"]), "0", live["refused"] == 0)
    figures.add("… acknowledged and in the table", f"{number(live['stored'])} and {number(stored)}", "equal", live["stored"] == stored)
    # The first fills caches and pools.
    early, late = told[min(1, len(told) - 2)], told[-1]
    grown = late["memory_mb"] / early["memory_mb"]
    figures.add(
        "… memory of the service, second minute and last", f"{early['memory_mb']:.0f} and {late['memory_mb']:.0f} MB, **{grown:.2f}**",
        f"< {GROWTH}", grown < GROWTH,
    )  # fmt: skip
    slowest = max(minute["reaction_ms"] for minute in told[1:])
    figures.add(
        "… mean time to the reaction, second minute, last, and slowest after the first",
        f"{early['reaction_ms']:.0f}, {late['reaction_ms']:.0f} and **{slowest:.0f} ms**", f"< {LAG_MS} ms", slowest < LAG_MS,
    )  # fmt: skip
    figures.add("… the longest that anything waited for its reaction when looked at", f"{max(each['oldest_ms'] for each in told):.0f} ms")
    figures.keep("minutes", told)
    for name, what in (
        ("memory_mb", "memory, MB"), ("upload_ms", "an upload, mean, ms"), ("reaction_ms", "to the reaction, mean, ms"),
        ("outbox", "transactions that wait, at most"),
    ):  # fmt: skip
        figures.note(f"- {what}, by minute: {', '.join(f'{each[name]:.0f}' for each in told)}")


def look(service, window, over, looks):
    """Figures of each window: means of what happened in it, the most of what was seen in it."""
    counts = {name: totals(service, metric) for name, metric in HISTOGRAMS.items()}
    began, ended = time.monotonic(), False
    while not ended:
        seen = {"memory_mb": 0, "oldest_ms": 0, "outbox": 0}
        while not ended and time.monotonic() < began + window:
            seen["memory_mb"] = max(seen["memory_mb"], service.memory_mb(peak=False))
            seen["oldest_ms"] = max(seen["oldest_ms"], 1000 * service.metric("vitals_relay_oldest_outbox_seconds"))
            seen["outbox"] = max(seen["outbox"], service.metric("vitals_relay_outbox_rows"))
            ended = over.wait(window / 20)
        seen["seconds"] = time.monotonic() - began
        began += seen["seconds"]
        for name, metric in HISTOGRAMS.items():
            (old_sum, old_count), (new_sum, new_count) = counts[name], totals(service, metric)
            counts[name] = new_sum, new_count
            seen[f"{name}_ms"] = 1000 * (new_sum - old_sum) / max(1, new_count - old_count)
        looks.append(seen)


def totals(service, metric):
    return service.metric(f"{metric}_sum"), service.metric(f"{metric}_count")
