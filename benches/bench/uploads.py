"""Uploads beside their ceiling and beside the peer; and a lone upload, alone and beside large bodies.

Before: `run`, `table`. After: `place` gives database, service and load generator, which share the machine with PostgreSQL and Redis.
Promise: service with relay and Redis on, settings as they are; every request is answered after its commit.
"""

import gzip
import json
import statistics

from . import ceiling, peer
from .figures import latency, number
from .place import BATCHES, BOUND_SECONDS, SINGLES, spread

GOAL_CEILING, GOAL_PEER_BATCH, GOAL_PEER_SINGLE, GOAL_SINGLES = 0.6, 3, 10, 20_000
LARGE_BODIES = 40


def run(place, figures):
    """The bench of this name."""
    batches(place, figures)
    tell_singles(figures, [singles(place)])
    with place.database() as database, database.service() as service:
        lone(place, figures, service)
        alarms(place, figures, service)


def batches(place, figures):
    """Ceiling and service in turns, each with a database of its own; records a second of the service."""
    each, ceilings, lives = place.scaled(1_500_000, 20_000), [], []
    for _ in range(2):
        with place.database() as database:
            ceilings.append(ceiling.measure(database, each))
        with place.database() as database, database.service() as service:
            lives.append(place.load(service.url, **BATCHES))
            memory = service.memory_mb()
    best, rate = statistics.mean(ceilings), statistics.mean(live["records_per_second"] for live in lives)
    figures.keep("ceiling", ceilings)
    figures.keep("batches", lives)
    both = lambda values: " and ".join(number(value) for value in values)
    figures.add("two psql COPY connections", f"{number(best)} records/s ({both(ceilings)})")
    of_service = both(live["records_per_second"] for live in lives)
    figures.add("batches of 100, 64 connections", f"{number(rate)} records/s ({of_service}); {latency(lives[-1]['latency'])}")
    figures.add("… of two psql COPY", f"**{rate / best:.2f}**", f"≥ {GOAL_CEILING}", rate / best >= GOAL_CEILING)
    figures.add("… peak memory of the service", f"{memory:.0f} MB")
    return rate


def singles(place):
    """Single uploads, with a database of their own."""
    with place.database() as database, database.service() as service:
        # The peer has had its batches by then.
        place.load(service.url, **SINGLES, seconds=2)
        return place.load(service.url, **SINGLES)


def tell_singles(figures, lives):
    """How many a second."""
    figures.keep("singles", lives)
    rates = [live["records_per_second"] for live in lives]
    rate = statistics.mean(rates)
    each = f" ({' and '.join(number(rate) for rate in rates)})" if len(rates) > 1 else ""
    figure = f"{number(rate)}/s{each}; {latency(lives[-1]['latency'])}"
    figures.add("single uploads, 256 connections", figure, f"≥ {number(GOAL_SINGLES)}/s", rate >= GOAL_SINGLES)
    return rate


def beside_peer(place, figures, batch_rate):
    """Single uploads, and the peer in the same two loads; the service before it and after."""
    lives = [singles(place)]
    interpreter = peer.python(place)
    if interpreter is None:
        tell_singles(figures, lives)
        figures.note("The peer was skipped: its Python environment cannot be made here (PyPI out of reach?).")
        return
    with place.database() as database, peer.serving(database, interpreter, "insert") as other:
        live = place.load(other.url, **BATCHES)
        figures.keep("peer_insert", live)
        figures.add("FastAPI, INSERT: batches of 100", f"{number(live['records_per_second'])} records/s; {latency(live['latency'])}")
        insert = place.load(other.url, **SINGLES)
        figures.keep("peer_insert_singles", insert)
    with place.database() as database, peer.serving(database, interpreter, "copy") as other:
        copied = place.load(other.url, **BATCHES)
        figures.keep("peer_copy", copied)
        rate = copied["records_per_second"]
        figures.add("FastAPI, COPY: batches of 100", f"{number(rate)} records/s; {latency(copied['latency'])}")
        times = batch_rate / rate
        figures.add("… vitals / FastAPI with COPY", f"**{times:.1f}**", f"≥ {GOAL_PEER_BATCH}", times >= GOAL_PEER_BATCH)
        copy = place.load(other.url, **SINGLES)
        figures.keep("peer_copy_singles", copy)
    single_rate = tell_singles(figures, [*lives, singles(place)])
    best = max(insert["records_per_second"], copy["records_per_second"])
    figures.add("FastAPI: single uploads, INSERT / COPY", " / ".join(number(it["records_per_second"]) for it in (insert, copy)) + " a second")
    times = single_rate / best
    figures.add("… vitals / the better of them", f"**{times:.1f}**", f"≥ {GOAL_PEER_SINGLE}", times >= GOAL_PEER_SINGLE)


def lone(place, figures, service):
    """A lone upload by itself, and beside bodies of 50 000 samples."""
    one = {"connections": 1, "batch": 1, "devices": 10, "rate": 20}
    figures.add("a lone upload, 20 a second", latency(place.load(service.url, **one)["latency"]))
    bodies = write_large_bodies(place, place.scaled(LARGE_BODIES, 2))
    log = place.work / "large.seconds"
    script = (
        'for body in "$@"; do curl -sf -o /dev/null -w "%{time_total}\\n" -H "content-encoding: gzip" '
        '-H "content-type: application/json" --data-binary "@$body" "$URL"; done'
    )
    environment = {"URL": f"{service.url}/upload_health_data", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    with place.running(["bash", "-c", script, "large", *bodies], log, environment) as large:
        beside = place.load(service.url, **one)
        if place.smoke:
            large.wait(BOUND_SECONDS)
    figures.add("the same, large bodies beside it", latency(beside["latency"]))
    took = spread([1000 * float(seconds) for seconds in log.read_text().split()])
    figures.add("a body of 50 000 samples", f"{latency(took, 'mean', 'max')} ({took['count']} bodies)")


def write_large_bodies(place, count):
    """Bodies of 50 000 samples, 29 MB each, packed."""
    samples = [
        {"deviceSn": f"LARGE00-{device:03}", "customerId": "1939964806110937090", "orgId": "1939964806110937091",
         "userId": "1939964806110937092", "heart_rate": 60 + (device + n) % 50, "blood_oxygen": 96,
         "body_temperature": "36.6", "blood_pressure_systolic": 126, "blood_pressure_diastolic": 84, "stress": 51,
         "step": 1000 + n, "distance": "905.0", "calorie": "51000.0", "latitude": "22.540363",
         "longitude": "114.015182", "altitude": "31.5", "upload_method": "wifi", "timestamp": 1767294245 + n,
         "sleepData": "null", "exerciseDailyData": "null", "exerciseWeekData": "null", "scientificSleepData": "null",
         "workoutData": "null"}
        for device in range(500) for n in range(100)
    ]  # fmt: skip
    text, paths = json.dumps({"data": samples}).encode(), []
    for body in range(count):
        paths.append(str(place.work / f"large.{body}.gz"))
        with open(paths[-1], "wb") as out:
            out.write(gzip.compress(text.replace(b"LARGE00", b"LARGE%02d" % body), 1))
    return paths


def alarms(place, figures, service):
    """Batches at full speed, 50 SOS a second beside them."""
    report = place.simulate(service.url, **BATCHES, alarms=50)
    figures.keep("alarms", report)
    figures.add("batches of 100, alarms beside them", f"{number(report['live']['records_per_second'])} records/s")
    figures.add("an SOS beside them, 50 a second", latency(report["alarms"]["latency"]))
