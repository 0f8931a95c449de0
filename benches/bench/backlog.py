"""Catching up: rows that waited while no relay ran, evaluated per second, by the length of the backlog; and the same rate with one, two
and four instances.

Before: `run`. After: `place`.
Promise: a database of its own each; nothing else runs; counted from the start of the services until the outbox is empty.
"""

import contextlib
import time

from .figures import number
from .isolation import backlog


def run(place, figures):
    """The bench of this name."""
    rates = {}
    for rows in (10_000, 100_000, 1_000_000):
        rows = place.scaled(rows, rows // 100)
        rates[rows] = caught_up(place, rows, 1)
        figures.add(f"backlog of {number(rows)} rows", f"{number(rates[rows])} rows/s")
    shortest, longest = min(rates), max(rates)
    share = rates[longest] / rates[shortest]
    figures.add("longest / shortest", f"{share:.2f}", "≥ 0.8", share >= 0.8)
    rows = place.scaled(400_000, 2_000)
    for instances in (1, 2, 4):
        figures.add(f"{instances} instances, {number(rows)} rows", f"{number(caught_up(place, rows, instances))} rows/s")


def caught_up(place, rows, instances):
    """Rows a second."""
    with place.database() as database, contextlib.ExitStack() as services:
        backlog(database, rows)
        began = time.monotonic()
        for number_of in range(instances):
            services.enter_context(database.service(instance=f"relay-{number_of}"))
        database.settle(bound_seconds=600)
        return rows / (time.monotonic() - began)
