"""Watches that sync late: what a refresh of the rollups costs, how soon late samples show, and how long an import keeps them behind.

Before: `run`. After: one database with few devices, one with many: an import with the service running, refreshes after late rows,
then live and late uploads by the minute.
Promise: what is late is seen through the view, as a dashboard sees it; in the end every bucket of every level is held against the
rows it is made of.
"""

import http.client
import json
import random
import statistics
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

from .figures import latency, number
from .place import Trouble, spread, until
from .rollups import refresh_ms

BOUND_SECONDS = 90 * 60
GOAL_ONE_MS, GOAL_DEVICE_MS, GOAL_DAYS_MS = 100, 200, 1_000
GOAL_LIVE_SECONDS, GOAL_LATE_SECONDS, GOAL_BUSY = 10, 60, 0.5
LEVELS = ("health_15m", "health_hourly", "health_daily", "health_weekly", "health_monthly")
# Of late uploads: as many as a watch keeps, of the last hours.
SAMPLES, LATE_HOURS = 100, 12
PACE = "update policy set refresh_every = '{}' where refresh_every is not null"

# Samples each ten minutes up to half an hour ago.
HISTORY = """
    select 'BENCH' || lpad(d::text, 8, '0') as device_sn, at as ts, 1 as customer_id, 1 as org_id, 1 as user_id,
        60 + (d + s) % 50 as heart_rate, 94 + s % 6 as blood_oxygen, 36.1 + (s % 9) / 10.0 as temperature,
        110 + s % 20 as pressure_high, 70 + s % 15 as pressure_low, 30 + s % 40 as stress, s % 144 * 70 as step,
        s % 144 * 45.5 as distance, s % 144 * 2.5 as calorie, null::float8 as latitude, null::float8 as longitude,
        null::float8 as altitude, 'wifi' as upload_method
    from generate_series({first}, {last}) as d, generate_series(1, {days} * 144) as s,
        lateral (select date_trunc('hour', now()) - interval '30 minutes' - s * interval '10 minutes' + d % 600 * interval '1 second') as a (at)
"""


def run(place, figures):
    """The bench of this name."""
    with place.database() as database, database.service():
        imported(database, 10, place.scaled(10, 3))
        caught_up(database)
        costs(figures, database, 10)
    devices, days = place.scaled(10_000, 20), place.scaled(14, 3)
    with place.database() as database, database.service() as service:
        an_import(figures, database, devices, days)
        figures.add("size of health_15m, and of the raw rows", size(database))
        costs(figures, database, devices)
        minutes(place, figures, database, service, devices)
        database.settle(600)
        database.psql("call refresh_rollups()", bound_seconds=600)
        compare(figures, database, devices)


def an_import(figures, database, devices, days):
    """A file of history is taken in beside the service."""
    seconds = imported(database, devices, days)
    began = time.monotonic()
    caught_up(database)
    behind = time.monotonic() - began
    rows = database.number("select count(*) from health_data")
    figures.add(f"import of {number(rows)} records, {number(devices)} devices, {days} days ({database.psql('select vitals.edition()')})", f"{seconds:.0f} s")
    figures.add("… rollups current after its end", f"{behind:.0f} s, **{behind / seconds:.2f}** of the import", "≤ 1", behind <= seconds)


def imported(database, devices, days):
    """Seconds that `vitals backfill` takes for the history of these devices."""
    file = database.place.work / "late.csv"
    with open(file, "wb") as out:
        each = 1_000
        for first in range(1, devices + 1, each):
            last = min(devices, first + each - 1)
            query = " ".join(HISTORY.format(first=first, last=last, days=days).split())
            header = ", header" if first == 1 else ""
            command = database.place.psql_command(database.name) + ["-c", f"copy ({query}) to stdout with (format csv{header})"]
            subprocess.run(command, stdout=out, stdin=subprocess.DEVNULL, check=True, timeout=300)
    began = time.monotonic()
    database.vitals("backfill", str(file), bound_seconds=1_800)
    seconds = time.monotonic() - began
    file.unlink()
    return seconds


def caught_up(database):
    database.settle(1_800)
    until(lambda: database.psql("select count(*) from vitals.rollup_dirty") == "0", "the rollups stay behind", 1_800)
    database.psql("analyze", bound_seconds=600)


def size(database):
    of = "coalesce((select sum(total_bytes) from hypertable_detailed_size('{}')), 0)"
    rollup = database.psql("select vitals.rollup_table('health_15m')")
    buckets = database.number("select count(*) from health_15m")
    kept, raw = (database.number(f"select {of.format(name)}") for name in (rollup, "health_data"))
    return f"{kept / 1e9:.2f} GB, {kept / buckets:.0f} bytes a bucket; {raw / 1e9:.2f} GB"


def costs(figures, database, devices):
    """Refreshes by hand after late rows; the service does not refresh meanwhile."""
    database.psql(PACE.format("1 day"))
    # Waits for one that goes on.
    database.psql("call refresh_rollups()")
    shapes = {
        "one late row": (f"values ('BENCH00000001', {{at}}, 71)", GOAL_ONE_MS),
        "72 late rows of a device, 12 hours": ("select 'BENCH00000001', {at} - s * interval '10 minutes', 71 from generate_series(1, 72) as s", GOAL_DEVICE_MS),
        "1 200 late rows, days": (
            f"select 'BENCH' || lpad((1 + s % {devices})::text, 8, '0'), {{at}} - s * interval '6 minutes', 71 from generate_series(1, 1200) as s",
            GOAL_DAYS_MS,
        ),
    }  # fmt: skip
    for what, (rows, goal) in shapes.items():
        took = []
        for turn in range(database.place.scaled(7, 1)):
            at = f"now() - interval '1 hour' + {turn} * interval '11 seconds'"
            database.psql(f"insert into health_data (device_sn, ts, heart_rate) {rows.format(at=at)}")
            database.settle()
            took.append(refresh_ms(database))
        middle = statistics.median(took)
        figures.keep(f"{what}, {devices} devices", took)
        figures.add(f"refresh after {what}; {number(devices)} devices", f"{middle:.0f} ms", f"< {goal} ms", middle < goal)
    database.psql(PACE.format("20 seconds"))


class Probes:
    """How long it takes from the answer to an upload to the row in the view."""

    def __init__(self, database):
        self.database, self.waiting, self.took, self.guard = database, {}, {"live": [], "late": []}, threading.Lock()

    def add(self, kind, device, since):
        with self.guard:
            self.waiting[device] = (kind, since, time.monotonic())

    def look(self):
        """One query for all that wait."""
        with self.guard:
            asked = dict(self.waiting)
        if not asked:
            return
        rows = ", ".join(f"('{device}', timestamptz '{since:%F %T}Z')" for device, (_, since, _) in asked.items())
        shown = self.database.psql(
            f"select device from (values {rows}) as p (device, since) where"
            " (select count(*) from health_data as h where h.device_sn = p.device and h.ts >= p.since) ="
            " (select coalesce(sum(r.samples), 0) from health_15m as r where r.device_sn = p.device and r.bucket >= p.since)"
        ).split()
        now = time.monotonic()
        with self.guard:
            for device in shown:
                kind, _, since = self.waiting.pop(device)
                self.took[kind].append(1_000 * (now - since))


def minutes(place, figures, database, service, devices):
    """Live samples of everybody each minute, and a hundred devices that send what they kept."""
    rounds, each, syncing = place.scaled(20, 1), place.scaled(60, 3), place.scaled(100, 5)
    probes, over, dice = Probes(database), threading.Event(), random.Random(1)
    threading.Thread(target=lambda: [probes.look() for _ in iter(lambda: over.wait(0.5), True)], daemon=True).start()
    busy, began = service.metric("vitals_rollup_refresh_seconds_sum"), time.monotonic()
    cpu = service.cpu_seconds()
    senders = [Sender(service.url) for _ in range(2)]
    try:
        for turn in range(rounds):
            late = dice.sample(range(1, devices + 1), syncing)
            live = [list(range(first, min(devices, first + 99) + 1)) for first in range(1, devices + 1, 100)]
            works = [
                threading.Thread(target=spread_over, args=(each, live, lambda group: live_upload(senders[0], probes, group))),
                threading.Thread(target=spread_over, args=(each, late, lambda device: late_upload(senders[1], probes, device, turn, device in late[::10]))),
            ]
            for work in works:
                work.start()
            for work in works:
                work.join()
        elapsed = time.monotonic() - began
        until(lambda: not probes.waiting, "late samples do not show", 300)
    finally:
        over.set()
    for sender in senders:
        if sender.trouble:
            raise Trouble(f"an upload was answered {sender.trouble}")
    busy = (service.metric("vitals_rollup_refresh_seconds_sum") - busy) / elapsed
    cpu = (service.cpu_seconds() - cpu) / elapsed
    for kind, goal in (("live", GOAL_LIVE_SECONDS), ("late", GOAL_LATE_SECONDS)):
        figures.keep(kind, probes.took[kind])
        seen = spread(probes.took[kind])
        met = seen["p95_ms"] <= 1_000 * goal
        figures.add(f"{kind} samples, from the answer to the view, {number(elapsed / 60)} min", latency(seen), f"p95 ≤ {goal} s", met)
    figures.add("… the refresh is at work", f"{busy:.2f} of the time; the service itself takes {cpu:.2f} of a core", f"< {GOAL_BUSY}", busy < GOAL_BUSY)


def spread_over(seconds, parts, work):
    """Does the parts one after the other, evenly over that time."""
    began = time.monotonic()
    for place, part in enumerate(parts):
        time.sleep(max(0, began + seconds * place / len(parts) - time.monotonic()))
        work(part)
    time.sleep(max(0, began + seconds - time.monotonic()))


class Sender:
    """A connection that stays."""

    def __init__(self, url):
        self.connection, self.trouble = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60), None

    def post(self, samples):
        body = json.dumps({"data": samples})
        self.connection.request("POST", "/upload_health_data", body, {"content-type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200 or json.loads(text)["status"] != "success":
            self.trouble = f"{answer.status}: {text[:300]}"


def sample(device, at):
    return {
        "deviceSn": f"BENCH{device:08}", "timestamp": int(at.timestamp() * 1_000), "heartRate": 60 + device % 40, "bloodOxygen": 97,
        "temperature": 36.5, "pressureHigh": 120, "pressureLow": 75, "stress": 40, "step": 1_000 + at.minute,
    }  # fmt: skip


def live_upload(sender, probes, group):
    now = datetime.now(timezone.utc)
    sender.post([sample(device, now) for device in group])
    probes.add("live", f"BENCH{group[0]:08}", now - timedelta(minutes=now.minute % 15, seconds=now.second, microseconds=now.microsecond))


def late_upload(sender, probes, device, turn, watched):
    now = datetime.now(timezone.utc)
    step = timedelta(hours=LATE_HOURS) / SAMPLES
    sender.post([sample(device, now - timedelta(minutes=40, seconds=turn) - place * step) for place in range(SAMPLES)])
    if watched:
        since = now - timedelta(hours=LATE_HOURS + 1)
        probes.add("late", f"BENCH{device:08}", since.replace(minute=0, second=0, microsecond=0))


def compare(figures, database, devices):
    """Every bucket against what it is made of, some hundred devices at a time."""
    different, buckets = 0, 0
    for name in LEVELS:
        source, definition = database.psql(f"select source, replace(definition, chr(10), ' ') from vitals.rollup where name = '{name}'").split("|", 1)
        for first in range(1, devices + 1, 1_000):
            these = f"device_sn >= 'BENCH{first:08}' and device_sn < 'BENCH{first + 1_000:08}'"
            answer = database.psql(
                f"with {source} as (select * from public.{source} where {these}), wanted as ({definition}),"
                f" found as (select * from public.{name} where {these})"
                " select (select count(*) from ((table wanted except all table found) union all (table found except all table wanted)) as d),"
                " (select count(*) from found)",
                bound_seconds=600,
            )  # fmt: skip
            odd, seen = (int(value) for value in answer.split("|"))
            different, buckets = different + odd, buckets + seen
    figures.add("buckets of all levels that differ from what they are made of", f"{number(different)} of {number(buckets)}", "0", different == 0)
