"""Reading over HTTP: a day and a week of a device, the overview of 10 000 devices, and a tenant's month as CSV.

Before: `run`. After: a database with a fleet, a week of quarter-hourly samples of each device and a month of those of one tenant, rolled up,
and a service that reads it as a tenant.
Promise: one connection, one request after the other; times are from the first byte of the request to the last one of the answer. The
share of requests that took the service less than the goal is by its own histogram. The memory of the service is that before the export, and
the most during it.
"""

import http.client
import json
import re
import time
import urllib.parse
from datetime import datetime, timedelta, timezone

from .figures import number
from .place import spread

GOAL_MS = 5
GOAL_MB = 40
TENANT = 5

FILL = """
    insert into org_unit (org_id, name, ancestors) values ({tenant}, 'Tenant', '{{}}'), (6, 'Other', '{{}}');
    insert into app_user (user_id, org_id, name) select n, case when n <= {own} then {tenant} else 6 end, 'Person ' || n from generate_series(1, {devices}) as n;
    insert into device_binding (device_sn, user_id, valid_from) select 'D' || lpad(n::text, 8, '0'), n, now() - interval '1 year' from generate_series(1, {devices}) as n;
    insert into device (device_sn, battery_level, wear_state) select device_sn, 50, '1' from device_binding;
    insert into health_data (device_sn, ts, heart_rate, blood_oxygen, temperature, stress, step, latitude, longitude) select 'D' || lpad(n::text, 8, '0'), at, 60 + random() * 50, 92 + random() * 7, round((36 + random())::numeric, 1), 1 + random() * 90, random() * 9000, 22.5 + random(), 114 + random() from generate_series(now() - interval '2 days', now(), interval '15 minutes') as at, generate_series({own} + 1, {devices}) as n order by 1, 2;
    insert into health_data (device_sn, ts, heart_rate, blood_oxygen, temperature, stress, step, latitude, longitude) select 'D' || lpad(n::text, 8, '0'), at, 60 + random() * 50, 92 + random() * 7, round((36 + random())::numeric, 1), 1 + random() * 90, random() * 9000, 22.5 + random(), 114 + random() from generate_series(now() - interval '31 days', now(), interval '{minutes} minutes') as at, generate_series(1, {own}) as n order by 1, 2;
    delete from outbox;
    call refresh_rollups(now() - interval '32 days', now())
"""


def run(place, figures):
    """The bench of this name."""
    devices, own = place.scaled(10_000, 40), place.scaled(500, 10)
    with place.database() as database:
        for statement in FILL.format(tenant=TENANT, devices=devices, own=own, minutes=place.scaled(5, 60)).split(";\n"):
            database.psql(statement, bound_seconds=900)
        database.psql("vacuum analyze", bound_seconds=900)
        authorization = f"Bearer {database.vitals('keys', 'create', 'bench', '--scope', 'read', '--tenant', str(TENANT)).splitlines()[0]}"
        every = f"Bearer {database.vitals('keys', 'create', 'every', '--scope', 'read').splitlines()[0]}"
        with database.service(authentication="keys") as service:
            series(place, figures, service, authorization, own, every)
            overview(place, figures, service, every, devices)
            export(figures, service, authorization, own)


def series(place, figures, service, authorization, own, operator):
    """A day by hours and a week by days of one device after the other, of a person, and a day of samples; a request that reads nothing."""
    now = datetime.now(timezone.utc)
    time_of = lambda before: urllib.parse.quote((now - before).strftime("%Y-%m-%dT%H:%M:%SZ"))
    day, week = f"from={time_of(timedelta(days=1))}", f"from={time_of(timedelta(days=7))}"
    for what, path, goal in (
        ("a day of a device, by hours", f"/api/devices/{{sn}}/series?grain=hourly&metric=heart_rate,step&{day}", GOAL_MS),
        ("a week of a device, by days", f"/api/devices/{{sn}}/series?grain=daily&metric=heart_rate,step&{week}", GOAL_MS),
        ("a week of a person, by days", f"/api/people/{{id}}/series?grain=daily&metric=heart_rate,step&{week}", None),
        ("a day of a device, each sample", f"/api/devices/{{sn}}/series?grain=raw&metric=heart_rate,step&{day}", None),
    ):
        paths = [path.format(sn=f"D{n:08}", id=n) for n in range(1, own + 1)]
        before = answered(service, operator, path)
        took, last = timed(service, authorization, paths, place.scaled(2000, 20))
        after = answered(service, operator, path)
        quantiles(figures, f"{what}, {number(len(last['points']))} points", took, None)
        if goal:
            share = (after[0] - before[0]) / (after[1] - before[1])
            figures.keep(f"{what}, within the goal at the service", share)
            figures.add("… answered by the service within the goal", f"**{share:.1%}**", f"p95 < {goal} ms", share >= 0.95)
    took, _ = timed(service, authorization, ["/livez"], place.scaled(2000, 20))
    quantiles(figures, "a request that reads nothing (/livez): the client and HTTP", took, None)
    took, last = timed(service, authorization, ["/api/people?limit=50"], place.scaled(100, 3))
    quantiles(figures, f"a page of people, {number(len(last['people']))}", took, None)


def overview(place, figures, service, authorization, devices):
    """Each time computed: the answer is kept for a second, so another viewer asks each time."""
    first, _ = timed(service, authorization, ["/api/overview"], 1, warm=0)
    figures.add(f"the overview of {number(devices)} devices, with the counters", f"{first[0]:.0f} ms")
    took = []
    for _ in range(place.scaled(8, 1)):
        # Longer than it is kept.
        time.sleep(max(1.1, 25 * min(took or first) / 1000) if not place.smoke else 0)
        took += timed(service, authorization, ["/api/overview"], 1, warm=0)[0]
    kept, _ = timed(service, authorization, ["/api/overview"], place.scaled(200, 3))
    quantiles(figures, "… read anew", took, None)
    quantiles(figures, "… kept", kept, None)


def export(figures, service, authorization, own):
    """The month of the tenant, by quarter hours."""
    before = service.memory_mb(peak=False)
    start = datetime.now(timezone.utc) - timedelta(days=31)
    since = urllib.parse.quote(start.strftime("%Y-%m-%dT%H:%M:%SZ"))
    connection = connect(service)
    began = time.monotonic()
    connection.request("GET", f"/api/series?format=csv&grain=15m&from={since}", headers={"Authorization": authorization})
    answer = connection.getresponse()
    first = time.monotonic() - began
    lines = size = 0
    most = before
    while part := answer.read(1 << 18):
        lines, size, most = lines + part.count(b"\n"), size + len(part), max(most, service.memory_mb(peak=False))
    took = time.monotonic() - began
    connection.close()
    figures.keep("export", {"rows": lines - 1, "bytes": size, "seconds": took, "before_mb": before, "most_mb": most})
    figures.add(f"a month of {number(own)} devices as CSV, {number(lines - 1)} rows, {size / 1e6:.0f} MB", f"{took:.1f} s, {(lines - 1) / took:,.0f} rows/s".replace(",", " "))
    figures.add("… the first byte", f"{first * 1000:.0f} ms")
    figures.add("… memory of the service, more than before", f"{most - before:.1f} MiB", f"≤ {GOAL_MB} MiB", most - before <= GOAL_MB)


def answered(service, operator, path):
    """Requests of the route that the service answered within the goal so far, and all of them."""
    route = path.partition("?")[0]
    name = f'vitals_http_request_seconds_bucket{{route="{route}",le="%s"}}'
    return [service.metric(re.escape(name % bound), operator) for bound in (GOAL_MS / 1000, "+Inf")]


def timed(service, authorization, paths, times, warm=10):
    """Milliseconds of each request, and the last answer."""
    connection, took, body = connect(service), [], b"{}"
    for index in range(times + warm):
        began = time.perf_counter()
        connection.request("GET", paths[index % len(paths)], headers={"Authorization": authorization})
        answer = connection.getresponse()
        body = answer.read()
        if index >= warm:
            took.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise RuntimeError(f"{paths[index % len(paths)]}: {answer.status} {body[:300]}")
    connection.close()
    return took, json.loads(body)


def connect(service):
    address = re.fullmatch(r"http://(.*):(\d+)", service.url)
    return http.client.HTTPConnection(address[1], int(address[2]), timeout=600)


def quantiles(figures, what, took, goal):
    found = spread(took)
    figures.keep(what, found)
    text = f"p50 {found['p50_ms']:.1f}, p95 **{found['p95_ms']:.1f}**, p99 {found['p99_ms']:.1f} ms"
    figures.add(what, text, f"p95 < {goal} ms" if goal else None, found["p95_ms"] < goal if goal else None)
