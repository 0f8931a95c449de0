"""Speed with a hundred million rows of history: batches of one watch and of a gateway, with and without it, in turns.

Before: `run`. After: two databases, one of them filled; each load runs in both.
Promise: the history is of the watches that send, over a hundred days; it is written, vacuumed and on the disk before the service starts, and evaluated by
nobody.
"""

import statistics
import subprocess

from .figures import number
from .fleets import FIRST_SERIAL, KNOWN, SHAPES, smaller
from .place import Trouble

BOUND_SECONDS = 60 * 60
FILL_SECONDS = 45 * 60
TURNS = 3
DAYS = 100
GOAL = 0.8


def run(place, figures):
    """The bench of this name."""
    rows, turns = place.scaled(100_000_000, 80_000), place.scaled(TURNS, 1)
    # A load has watches of its own, for no instant may come twice; each has its part of the history.
    fleets = iter(range(turns * len(SHAPES)))
    watches = smaller(place, {"devices": 10_000})["devices"]
    with place.database() as full, place.database() as empty:
        fill(full, rows, watches * turns * len(SHAPES))
        figures.add(f"{number(rows)} rows of history", full.psql("select pg_size_pretty(hypertable_size('health_data'))"))
        for shape, (load, _) in SHAPES.items():
            rates = {full.name: [], empty.name: []}
            for _ in range(turns):
                serials = KNOWN | {"first_serial": FIRST_SERIAL + next(fleets) * watches}
                for database in (full, empty):
                    with database.service() as service:
                        live = place.load(service.url, **smaller(place, load), **serials)
                        rates[database.name].append(live["records_per_second"])
                        database.settle(120)
            figures.keep(shape, {"full": rates[full.name], "empty": rates[empty.name]})
            share = statistics.mean(rates[full.name]) / statistics.mean(rates[empty.name])
            figures.add(f"{shape}, with history", " and ".join(number(rate) for rate in rates[full.name]) + " records/s")
            figures.add("… of the speed without", f"**{share:.2f}**", f"≥ {GOAL}", share >= GOAL)


def fill(database, rows, devices):
    """Writes the history, by two connections, newest days last."""
    running = []
    for half in (0, 1):
        statements = [
            "set synchronous_commit = off",
            f"""do $$ begin
                for day in reverse {DAYS}..1 loop
                    insert into health_data (device_sn, ts, heart_rate, blood_oxygen, temperature, pressure_high, pressure_low, stress, step, distance,
                        calorie, latitude, longitude)
                    select 'SIM' || lpad(({FIRST_SERIAL} + d)::text, 13, '0'), now() - day * interval '1 day' + n * interval '1 second',
                        60 + (d + n) % 40, 95 + n % 5, 36.1 + (n % 9) / 10.0, 110 + n % 20, 70 + n % 15, 30 + n % 40, n, n * 0.7, n * 40.5,
                        22.540363, 114.015182
                    from generate_series({half}, {devices} - 1, 2) d, generate_series(1, {rows // DAYS // devices}) n;
                    delete from outbox;
                    commit;
                end loop;
            end $$""",
        ]
        command = database.place.psql_command(database.name)
        for statement in statements:
            command += ["-c", statement]
        running.append(subprocess.Popen(command))
    if any(process.wait(FILL_SECONDS) for process in running):
        raise Trouble("the history could not be written")
    # As it is with history that was written over months: what the server does once after a large import is not part of the loads.
    database.psql("vacuum (analyze) health_data", "checkpoint", bound_seconds=FILL_SECONDS)
