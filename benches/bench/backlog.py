"""Catching up: rows that waited while no relay ran, evaluated per second, by the length of the backlog; the same rate with one, two and
four instances; and the rows of a load, evaluated while they come in and once more behind them.

Before: `run`. After: `place`.
Promise: a database of its own each; nothing else runs; counted from the start of the services until the outbox is empty.
"""

import contextlib
import time

from .figures import number
from .fleets import KNOWN, SHAPES, smaller
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
    live, again = live_and_again(place)
    figures.add("a gateway's batches at full speed, until all are evaluated", f"{number(live)} rows/s")
    figures.add("… the same rows behind a restart", f"{number(again)} rows/s")
    figures.add("… of the live speed", f"**{again / live:.2f}**", "≥ 2", again / live >= 2)


def caught_up(place, rows, instances):
    """Rows a second."""
    with place.database() as database, contextlib.ExitStack() as services:
        backlog(database, rows)
        began = time.monotonic()
        for number_of in range(instances):
            services.enter_context(database.service(instance=f"relay-{number_of}"))
        database.settle(bound_seconds=600)
        return rows / (time.monotonic() - began)


def live_and_again(place):
    """Rows a second, from the first upload until everything is evaluated, and when the same batches are evaluated without a load."""
    load, _ = SHAPES["a gateway's batches"]
    with place.database() as database:
        began = time.monotonic()
        with database.service() as service:
            place.load(service.url, breaches=2, **smaller(place, load), **KNOWN)
            database.settle(bound_seconds=600)
            live_seconds = time.monotonic() - began
        rows = database.number("select count(*) from health_data")
        database.psql(
            "truncate alert cascade",
            """insert into outbox (batch_id, first_ts, last_ts, rows, events, device_infos, partitions)
                select batch_id, min(ts), max(ts), count(*), 0, 0, bit_or(1::bigint << vitals.alert_partition(device_sn))
                from health_data group by batch_id""",
        )
        began = time.monotonic()
        with database.service():
            database.settle(bound_seconds=600)
            return rows / live_seconds, rows / (time.monotonic() - began)
