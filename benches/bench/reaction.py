"""From commit to reaction at half load: the latest value in Redis, the alert row, the alert in Redis.

Before: `table` says what half the load is. After: watches of our own, 20 uploads a second beside it, every second one a breach; one
watch each, so that each breach is a new alert.
Promise: seen from outside, by a subscriber of the channels dashboards read; counted from the start of the transaction that
committed the row, as its account tells, so no figure is too small.
"""

import http.client
import json
import threading
import time
from urllib.parse import urlsplit

from .figures import latency, number
from .place import BATCHES, spread, until

GOAL_MS = 150
PER_SECOND = 20
SERIAL = "CANARY"


def run(place, figures):
    """The bench of this name: finds the load first."""
    with place.database() as database, database.service() as service:
        rate = place.load(service.url, **BATCHES)["records_per_second"]
        at_half_load(place, figures, database, service, rate)


def at_half_load(place, figures, database, service, full_rate):
    # So that the plans and connections of a service that has run a while are there, also those of alerts.
    place.load(service.url, **BATCHES, seconds=2, breaches=2.5)
    database.settle()
    rate, log = full_rate / 2, place.work / "published"
    subscribe = place.redis_command("psubscribe", f"health_data_channel:{SERIAL}*", f"alert_info_channel:{SERIAL}*")
    arrived, over, reacted = {}, threading.Event(), threading.Event()
    with place.running(subscribe, log):
        until(lambda: log.read_text().count("psubscribe") == 2, "Redis takes no subscription")
        watching = threading.Thread(target=watch, args=(log, arrived, reacted))
        sending = threading.Thread(target=send, args=(service.url, over))
        watching.start()
        sending.start()
        try:
            live = place.load(service.url, **BATCHES, rate=round(rate), breaches=2.5)
            over.set()
            sending.join()
            database.settle()
        finally:
            over.set()
            reacted.set()
            sending.join()
            watching.join()
    figures.add(f"half load: {number(live['records_per_second'])} records/s", latency(live["latency"]))
    figures.keep("half_load", live)
    report(figures, database, arrived)


def watch(log, arrived, reacted):
    """When each message came: looks for more every millisecond, and for two seconds after everything was reacted to."""
    with open(log) as lines:
        begun, last = "", None
        while last is None or time.monotonic() < last:
            begun += lines.readline()
            if not begun.endswith("\n"):
                if reacted.is_set() and last is None:
                    last = time.monotonic() + 2
                time.sleep(0.001)
                continue
            line, begun = begun.strip(), ""
            if "_channel:" in line and "*" not in line:
                arrived.setdefault(tuple(line.strip('"').split(" ")[-1].strip('"').split("_channel:")), time.time())


def send(url, over):
    connection, number, began = http.client.HTTPConnection(urlsplit(url).netloc, timeout=15), 0, time.monotonic()
    while not over.is_set():
        sample = {"deviceSn": f"{SERIAL}{number:08}", "heart_rate": 150 if number % 2 else 75, "timestamp": int(time.time())}
        connection.request("POST", "/upload_health_data", json.dumps({"data": sample}), {"content-type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            connection.close()
        number += 1
        over.wait(max(0, began + number / PER_SECOND - time.monotonic()))
    connection.close()


def report(figures, database, arrived):
    rows = database.psql(
        f"""select h.device_sn, extract(epoch from b.committed_at), extract(epoch from a.fired_at)
            from health_data as h join vitals.ingest_batch as b using (batch_id) left join alert as a using (device_sn)
            where h.device_sn like '{SERIAL}%' and b.kind = 'reading'"""
    )
    to_redis, to_row, to_channel, unseen = [], [], [], 0
    for row in rows.splitlines():
        serial, committed, fired = row.split("|")
        published, alerted = arrived.get(("health_data", serial)), arrived.get(("alert_info", serial))
        unseen += published is None or (fired != "" and alerted is None)
        if published:
            to_redis.append(1000 * (published - float(committed)))
        if fired:
            to_row.append(1000 * (float(fired) - float(committed)))
        if fired and alerted:
            to_channel.append(1000 * (alerted - float(committed)))
    for what, values, goal in (
        ("… commit → latest value in Redis", to_redis, GOAL_MS),
        ("… commit of a breach → alert row", to_row, GOAL_MS),
        ("… commit of a breach → alert published (row committed)", to_channel, None),
    ):
        took = spread(values)
        figures.keep(what, took)
        met = took["p95_ms"] < goal if goal else None
        figures.add(what, f"{latency(took, 'p50', 'p95', 'p99')} ({took['count']})", goal and f"p95 < {goal} ms", met)
    figures.add("… of them not seen in Redis", str(unseen), "0", unseen == 0)
