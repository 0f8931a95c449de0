"""What judging costs and how soon it is done: batches with all rules off and with the seeded rules on, in turns, one to two percent
of the rows breaching (watches that charge show no heart rate); then half that load, and how long it takes to a webhook.

Before: `run`. After: `place`.
Promise: a webhook of our own stands for whoever is told; every alert of the second part must reach it.
"""

import http.server
import json
import statistics
import threading
import time

from .figures import latency, number
from .place import spread, until

FULL = {"connections": 64, "batch": 100, "devices": 2000}


def run(place, figures):
    """The bench of this name."""
    with place.database() as database, database.service(webhook_allow_private="true") as service:
        place.load(service.url, **FULL)  # warms up
        with_rules = in_turns(place, figures, database, service)
        to_webhook(place, figures, database, service, with_rules / 2)


def in_turns(place, figures, database, service):
    warm, rates = database.psql("select count(*) from health_data"), {"false": [], "true": []}
    for _ in range(place.scaled(2, 1)):
        for enabled, found in rates.items():
            database.psql(f"update alert_rule set enabled = {enabled}")
            database.settle()
            found.append(place.load(service.url, breaches=2.5, **FULL)["records_per_second"])
    database.settle()
    breaching = database.number(f"select 100.0 * count(*) filter (where heart_rate > 120) / (count(*) - {warm}) from health_data")
    raised = database.number("select count(*) from alert")
    without, with_rules = (statistics.mean(found) for found in rates.values())
    figures.add("batches of 100, rules off", f"{number(without)} records/s")
    figures.add(f"rules on, {breaching:.1f} % of all rows breach", f"{number(with_rules)} records/s ({number(raised)} alerts)")
    figures.add("rules on / off", f"{with_rules / without:.2f}")
    return with_rules


def to_webhook(place, figures, database, service, rate):
    arrived = {}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), receiver(arrived))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        database.psql(
            f"""with who as (insert into contact (name) values ('bench') returning contact_id),
                    at as (insert into contact_address (contact_id, channel, address)
                        select contact_id, 'webhook', 'http://127.0.0.1:{server.server_port}/' from who)
                insert into notification_route (channel, audience, contact_id, min_severity)
                select 'webhook', 'contact', contact_id, 'info' from who"""
        )
        since = database.psql("select clock_timestamp()")
        place.load(service.url, breaches=2.5, rate=round(rate), **FULL)
        database.settle()
        pending = "select count(*) from notification where status = 'pending'"
        until(lambda: database.psql(pending) == "0", "notifications are not sent", 120)
    finally:
        server.shutdown()
        server.server_close()
    # From the receipt of the row that raised it. Alerts of rows that came late tell nobody.
    rows = database.psql(
        f"""select a.alert_id, extract(epoch from h.received_at), extract(epoch from a.fired_at)
            from alert a join health_data h on h.device_sn = a.device_sn and h.ts = a.fired_ts
            where a.fired_at >= '{since}' and not a.historical"""
    )
    fired = [row.split("|") for row in rows.splitlines()]
    to_row = [1000 * (float(at) - float(received)) for _, received, at in fired]
    to_hook = [1000 * (arrived[int(alert)] - float(received)) for alert, received, _ in fired if int(alert) in arrived]
    figures.add("half load: receipt to alert row", latency(spread(to_row), "p50", "p95", "p99"))
    figures.add("half load: receipt to webhook", latency(spread(to_hook), "p50", "p95", "p99"))
    missing = len(fired) - len(to_hook)
    figures.add("alerts that did not reach it", f"{missing} of {number(len(fired))}", "0", missing == 0)


def receiver(arrived):
    """A webhook that notes when each alert first came."""

    class Receiver(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body, now = json.loads(self.rfile.read(int(self.headers["content-length"]))), time.time()
            for alert in body["data"]["alerts"]:
                arrived.setdefault(int(alert["alert_id"]), now)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    return Receiver
