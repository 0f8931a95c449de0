"""An SOS beside full speed on two instances, to its alert and to a webhook, while something large goes on.

Before: `run`. After: `place`.
Promise: the load (64 connections, batches of 100) lasts as long as the presses; every SOS must reach the webhook. Each device presses
once. Times are counted from the moment before the upload is sent.
"""

import contextlib
import http.client
import http.server
import itertools
import json
import threading
import time
from urllib.parse import urlsplit

from .alerts import receiver
from .figures import latency, number
from .place import BATCHES, Trouble, spread, until

BOUND_SECONDS = 20 * 60
GOAL_MS = 1000
PRESSES_PER_SECOND = 10


def run(place, figures):
    """The bench of this name."""
    arrived, serials = {}, itertools.count()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), receiver(arrived))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for what, situation in SITUATIONS.items():
            with place.database() as database:
                route(database, server.server_port)
                arrived.clear()
                situation(place, figures, database, Presses(database, arrived, serials), what)
    finally:
        server.shutdown()
        server.server_close()


def route(database, port):
    database.psql(
        f"""with who as (insert into contact (name) values ('bench') returning contact_id),
                at as (insert into contact_address (contact_id, channel, address)
                    select contact_id, 'webhook', 'http://127.0.0.1:{port}/' from who)
            insert into notification_route (channel, audience, contact_id, min_severity)
            select 'webhook', 'contact', contact_id, 'critical' from who"""
    )


class Presses:
    """SOS events, sent at a fixed rate until told to stop, and what became of them."""

    def __init__(self, database, arrived, serials):
        self.database, self.arrived, self.serials, self.sent = database, arrived, serials, {}

    @contextlib.contextmanager
    def beside(self, place, services):
        """Load on the services and presses, as long as the block lasts."""
        stop, failures = threading.Event(), []

        def guarded(work):
            try:
                work()
            except Exception as failure:
                failures.append(failure)

        def load():
            while not stop.is_set():
                place.load(services[0].url, **BATCHES, seconds=place.scaled(5, 1))

        def press():
            address = urlsplit(services[1].url)
            connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
            due = time.monotonic()
            while not stop.is_set():
                serial, due = f"SOS-{next(self.serials)}", due + 1 / PRESSES_PER_SECOND
                time.sleep(max(0, due - time.monotonic()))
                now = time.time()
                body = {"eventType": "SOS_EVENT", "eventValue": "1", "deviceSn": serial, "timestamp": int(1000 * now)}
                connection.request("POST", "/upload_common_event", json.dumps(body))
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise Trouble(f"an SOS is answered {answer.status}")
                self.sent[serial] = now

        threads = [threading.Thread(target=guarded, args=(work,)) for work in (load, press)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        if failures:
            raise failures[0]

    def tell(self, figures, what, bound_seconds=60):
        """Waits for all of them, and adds a row for the alerts and one for the webhook."""
        query = "select device_sn, alert_id, extract(epoch from fired_at) from alert where device_sn like 'SOS-%'"
        raised = lambda: [row.split("|") for row in self.database.psql(query).splitlines()]
        until(lambda: len(raised()) >= len(self.sent), "not every SOS has an alert", bound_seconds)
        rows = raised()
        until(lambda: all(int(alert) in self.arrived for _, alert, _ in rows), "not every SOS is sent", bound_seconds)
        to_row = spread([1000 * (float(at) - self.sent[serial]) for serial, _, at in rows])
        to_hook = spread([1000 * (self.arrived[int(alert)] - self.sent[serial]) for serial, alert, _ in rows])
        for name, found in (("alert row", to_row), ("webhook", to_hook)):
            figures.add(
                f"{what}: to {name}", f"{latency(found, 'p50', 'p95', 'p99', 'max')} ({number(found['count'])})",
                f"p99 < {GOAL_MS} ms", found["p99_ms"] < GOAL_MS,
            )  # fmt: skip
        figures.keep(what, {"row": to_row, "webhook": to_hook})


@contextlib.contextmanager
def two_services(database):
    with database.service(notify_webhook_allow_private="true") as one:
        with database.service(notify_webhook_allow_private="true", instance="other") as other:
            yield one, other


def nothing_else(place, figures, database, presses, what):
    with two_services(database) as services:
        with presses.beside(place, services):
            time.sleep(place.scaled(20, 2))
        presses.tell(figures, what)


def a_copy(place, figures, database, presses, what):
    rows, start = place.scaled(5_000_000, 20_000), int(time.time()) - 40 * 86400
    # A month of a reading every ten minutes, for as many devices as it takes; two in a hundred breach.
    lines = "".join(
        f"COPY-{row // 4320}\t{time.strftime('%F %TZ', time.gmtime(start + row % 4320 * 600))}\t{180 if row % 50 == 0 else 70}\n"
        for row in range(rows)
    )
    with two_services(database) as services:
        with presses.beside(place, services):
            database.psql(r"\copy health_data (device_sn, ts, heart_rate) from pstdin", text=lines, bound_seconds=600)
        presses.tell(figures, what)


def a_backlog(place, figures, database, presses, what):
    rows = place.scaled(1_000_000, 5_000)
    backlog(database, rows)
    newest = database.psql("select max(batch_id) from outbox")
    with two_services(database) as services:
        with presses.beside(place, services):
            time.sleep(place.scaled(20, 2))
            left = database.number(f"select count(*) from outbox where batch_id <= {newest}")
        presses.tell(figures, f"{what} ({number(rows)} rows; {number(left)} batches of it left at the end)")


def backlog(database, rows):
    """Rows in batches of 100 different devices that no relay has seen, as services commit them; two in a hundred breach."""
    database.psql(
        "set synchronous_commit = off",
        # Dealt to two shards, as by the service.
        """create temporary table hundred as
            select shard, place, array_agg(device_sn) as devices, bit_or(1::bigint << vitals.alert_partition(device_sn)) as partitions
            from (
                select device_sn, shard, (row_number() over (partition by shard) - 1) / 100 as place
                from (
                    select 'BACKLOG-' || n as device_sn, vitals.alert_partition('BACKLOG-' || n) % 2 as shard from generate_series(1, 10000) n
                ) as d
            ) as d
            group by shard, place having count(*) = 100""",
        f"""do $$ declare h hundred; places integer := (select min(n) from (select count(*) as n from hundred group by shard) as c); begin
            for b in 0..{rows // 100} - 1 loop
                select * into h from hundred where shard = b % 2 and place = b / 2 % places;
                insert into outbox (first_ts, last_ts, rows, events, device_infos, partitions)
                values (now() - interval '1 h', now(), 100, 0, 0, h.partitions);
                insert into health_data (device_sn, ts, heart_rate)
                select device_sn, now() - interval '1 h' + b * interval '300 ms', case when d % 50 = 0 then 180 else 70 end
                from unnest(h.devices) with ordinality as u (device_sn, d);
                commit;
            end loop;
        end $$""",
        bound_seconds=600,
    )


def an_open_rule(place, figures, database, presses, what):
    with two_services(database) as services:
        command = database.place.psql_command(database.name)
        held = database.place.running([*command, "-c", "begin", "-c", "update alert_rule set enabled = false", "-c", "select pg_sleep(60)"],
                                      place.work / "rule.log")  # fmt: skip
        with held, presses.beside(place, services):
            open_for = "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)' and datname = current_database()"
            until(lambda: database.psql(open_for) == "1", "nobody holds the rules")
            time.sleep(place.scaled(20, 2))
            still = database.psql(open_for)
        if still != "1":
            raise Trouble("the rules were not held open for as long as this took")
        presses.tell(figures, what)


def an_import(place, figures, database, presses, what):
    devices = place.scaled(20_000, 100)
    with two_services(database) as services:
        database.psql(
            f"""insert into health_data (device_sn, ts, heart_rate)
                select 'IMPORT-' || d, now() - interval '1 day' + n * interval '1 min', 180
                from generate_series(1, {devices}) d, generate_series(1, 20) n""",
            "notify vitals_outbox",
        )
        with presses.beside(place, services):
            time.sleep(place.scaled(30, 2))
            left = database.number("select count(*) from vitals.outbox_device")
        presses.tell(figures, f"{what} ({number(left)} of {number(devices)} devices left at the end)")


SITUATIONS = {
    "nothing else": nothing_else,
    r"\copy of 5 million rows, 2 % breach": a_copy,
    "a backlog": a_backlog,
    "a transaction open on alert_rule": an_open_rule,
    "an import of breaches is evaluated": an_import,
}
