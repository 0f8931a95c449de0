"""Speed for every fleet: batches of one watch, batches of a gateway (100 different watches), and a million watches; beside the ceiling
and beside a peer in Rust, all of which take the same rows.

Before: `run`. After: `place` gives database, service and load generator, which share the machine with PostgreSQL and Redis.
Promise: every watch has sent once before anything is counted; no device sends an instant twice; the rows of the ceiling are those that the
service stored, in the order in which they arrived; service, ceiling and peer run in turns, each with a database of its own.
"""

import contextlib
import re
import statistics
import subprocess
import time

from .figures import latency, number
from .place import BOUND_SECONDS as COMMAND_SECONDS
from .place import HEALTH_COLUMNS, Service, Trouble, dead, finished, until

BOUND_SECONDS = 20 * 60
TURNS = 2
FIRST_SERIAL = 7_000_000_000_000
# An upload before anything is counted: one sample of each watch.
KNOWN = {"history_days": 1, "history_interval_seconds": 86_400, "first_serial": FIRST_SERIAL}
SHAPES = {
    "one watch a batch": ({"connections": 64, "batch": 100, "devices": 10_000}, 0.75),
    "a gateway's batches": ({"connections": 64, "batch": 100, "devices": 10_000, "gateway": None}, 0.6),
}
GOAL_MILLION = 0.8


def run(place, figures):
    """The bench of this name."""
    for shape, (load, goal) in SHAPES.items():
        beside_ceiling_and_peer(place, figures, shape, smaller(place, load), goal)
    million(place, figures)


def smaller(place, load):
    """The load, or in a smoke run less of it."""
    return load | {"connections": 4, "devices": 400} if place.smoke else load


def beside_ceiling_and_peer(place, figures, shape, load, goal):
    """The service, two psql COPY connections with its rows, and the peer, in turns."""
    served, copied, peers, lives = [], [], [], []
    for _ in range(place.scaled(TURNS, 1)):
        with place.database() as database:
            with database.service() as service:
                live = place.load(service.url, **load, **KNOWN)
                database.settle(120)
            lives.append(live)
            served.append(live["records_per_second"])
            rows = export(place, database)
        with place.database() as database:
            copied.append(copy(database, rows))
        with place.database() as database, peer(database) as other:
            peers.append(place.load(other.url, **load, **KNOWN)["records_per_second"])
    figures.keep(shape, {"service": lives, "copy": copied, "peer": peers})
    both = lambda values: f"{number(statistics.mean(values))} records/s ({' and '.join(number(value) for value in values)})"
    share = statistics.mean(served) / statistics.mean(copied)
    figures.add(f"{shape}: service", f"{both(served)}; {latency(lives[-1]['latency'])}")
    figures.add("… the same rows by two psql COPY", both(copied))
    figures.add("… service / COPY", f"**{share:.2f}**", f"≥ {goal}", share >= goal)
    figures.add("… axum, a COPY per request", both(peers))
    figures.add("… service / that", f"{statistics.mean(served) / statistics.mean(peers):.2f}")


def export(place, database):
    """Two files with the rows of the database in the order in which they arrived, dealt by device as the service does; how many there are."""
    for half in (0, 1):
        query = f"""copy (
            select {HEALTH_COLUMNS} from health_data where (hashtext(device_sn) & 1) = {half} order by received_at, batch_id, device_sn, ts
        ) to stdout"""
        with open(place.work / f"arrived.{half}", "wb") as out:
            subprocess.run(place.psql_command(database.name) + ["-c", query], stdout=out, check=True, timeout=COMMAND_SECONDS)
    return int(database.number("select count(*) from health_data"))


def copy(database, rows):
    """Records a second of both connections together."""
    place = database.place
    command = place.psql_command(database.name) + ["-c", f"\\copy health_data ({HEALTH_COLUMNS}) from pstdin"]
    began, running = time.monotonic(), []
    for half in (0, 1):
        with open(place.work / f"arrived.{half}", "rb") as arrived:
            running.append(subprocess.Popen(command, stdin=arrived))
    if any(process.wait(COMMAND_SECONDS) for process in running):
        raise Trouble("COPY failed")
    return rows / (time.monotonic() - began)


@contextlib.contextmanager
def peer(database):
    """`benches/peer/rust` on this database."""
    place = database.place
    log = place.work / f"peer.{time.monotonic_ns()}.log"
    environment = database.environment() | {"PEER_DATABASE_URL": database.url}
    with place.running([f"{place.vitals}-peer"], log, environment) as process:
        address = until(lambda: re.search(r"running on (http://\S+)", log.read_text()) or dead(process, log), "the peer does not serve")
        yield Service(address[1], process)


def million(place, figures):
    """A gateway's batches of ten thousand and of a million watches, in turns."""
    load, _ = SHAPES["a gateway's batches"]
    few, many = smaller(place, load), smaller(place, load) | {"devices": place.scaled(1_000_000, 2_000)}
    rates = {"few": [], "many": []}
    for _ in range(place.scaled(TURNS, 1)):
        for name, options in (("few", few), ("many", many)):
            with place.database() as database, database.service() as service:
                # What a million first samples cause (rows of device, a rebuild of the view) is over before anything is counted. Their rollups,
                # which would take ten minutes, are given up.
                place.load(service.url, **options, **KNOWN, records=options["batch"])
                database.settle(300)
                shown = lambda: int(finished(place.redis_command("dbsize")).split()[-1])
                until(lambda: shown() >= options["devices"], "not every watch is shown", 300)
                database.psql("truncate vitals.rollup_dirty", bound_seconds=300)
                live = place.load(service.url, **options, first_serial=FIRST_SERIAL)
                rates[name].append(live["records_per_second"])
                database.settle(300)
                memory = service.memory_mb()
    figures.keep("million", rates)
    share = statistics.mean(rates["many"]) / statistics.mean(rates["few"])
    figures.add(f"{number(many['devices'])} watches, a gateway's batches", " and ".join(number(rate) for rate in rates["many"]) + " records/s")
    figures.add("… of the speed with 10 000", f"**{share:.2f}**", f"≥ {GOAL_MILLION}", share >= GOAL_MILLION)
    figures.add("… peak memory of the service", f"{memory:.0f} MB")
