"""What a late row costs the rollups, with more and more history behind it; and how long a dashboard waits for a device's day and week.

Before: `run`, `table`. After: one database that is filled step by step: half-hour samples of days that are past, the last two
hours by two minutes.
Promise: a service is there whose relay tells the rollups what changed, as in use; it is the bench that refreshes, not the
clock. The dashboard logged in as a role bound to one of ten tenants; plain statements, devices at random.
"""

import random
import re
import statistics
import time

from .figures import latency
from .place import ROOT, finished, spread

GOAL_QUERY_MS, GOAL_GROWTH = 2, 2
ROLES = ("vitals_bench_all", "vitals_bench_bound")
DASHBOARD_SERIAL = "BENCH00000002"

DIRECTORY = """
    insert into org_unit (org_id, name) select 40 + n, 'Home ' || n from generate_series(1, 10) as n;
    insert into app_user (user_id, org_id, name) select n, 41 + n % 10, 'Person ' || n from generate_series(1, {devices}) as n;
    insert into device_binding (device_sn, user_id, valid_from)
    select 'BENCH' || lpad(n::text, 8, '0'), n, now() - interval '1 year' from generate_series(1, {devices}) as n;
    insert into device (device_sn) select device_sn from device_binding;
    update policy set refresh_every = '1 day' where refresh_every is not null;
"""

# Samples from `{last}` to `{first}` days ago, not those of the last two hours.
FILL = """
    insert into health_data (device_sn, ts, heart_rate, blood_oxygen, temperature, pressure_high, pressure_low, stress, step, distance, calorie)
    select device_sn, at, 60 + random() * 50, 92 + random() * 7, round((36 + random())::numeric, 1), 110 + random() * 30,
        70 + random() * 20, 1 + random() * 90, random() * 9000, random() * 7000, random() * 90000
    from generate_series(date_trunc('hour', now()) - {last} * interval '1 day', {until}, {every}) as at, device order by device_sn, at
"""


def run(place, figures):
    """The bench of this name."""
    drop = "; ".join(f"drop role if exists {role}" for role in ROLES)
    place.psql(None, drop)
    try:
        with place.database() as database:
            measure(place, figures, database)
    finally:
        place.psql(None, drop)


def measure(place, figures, database):
    devices, steps = place.scaled(2000, 20), place.scaled((1, 10, 30), (1, 3, 8))
    edition = database.psql("select vitals.edition()")
    database.vitals("roles")
    database.psql(DIRECTORY.format(devices=devices))
    with database.service(poll_interval_ms=200) as _:
        costs, first = {}, 0
        for last in steps:
            fill(database, first, last)
            costs[last] = [cost_of_late_rows(database, "'BENCH00000001'", 780 * number + last) for number in range(1, 10)]
            first = last
        many = [cost_of_late_rows(database, "device_sn", 780 * number) for number in range(10, 15)]
    figures.keep("refresh_seconds", costs)
    medians = {last: 1000 * statistics.median(seconds) for last, seconds in costs.items()}
    text = ", ".join(f"{cost:.0f} ms with {last} days" for last, cost in medians.items())
    grown = medians[steps[-1]] / medians[steps[0]]
    figures.add(f"refresh after one late row, {devices} devices ({edition})", text, f"grows < {GOAL_GROWTH} times", grown < GOAL_GROWTH)
    figures.add(f"… after one late row of each device, {steps[-1]} days", f"{1000 * statistics.median(many):.0f} ms")
    database.psql("vacuum analyze")
    queries(place, figures, database, devices)


def fill(database, first, last):
    """Days from `last` to `first` ago, rolled up."""
    until = f"date_trunc('hour', now()) - {first} * interval '1 day' - interval '1 second'"
    recent = FILL.format(last="2.0 / 24", until="now()", every="interval '2 minutes'")
    if first == 0:
        database.psql(recent)
        until = "date_trunc('hour', now()) - interval '2 hours 1 second'"
    database.psql(FILL.format(last=last, until=until, every="interval '30 minutes'"))
    # What the relay would read back of these rows is known: the range is made here.
    database.psql("delete from outbox")
    database.psql(f"call refresh_rollups(date_trunc('day', now()) - {last + 1} * interval '1 day', now())")
    database.psql("analyze")


def cost_of_late_rows(database, device, seconds):
    """Seconds of the refresh after a late row of these devices, about half a day old."""
    table = "device" if device == "device_sn" else "(select) as one"
    database.psql(
        f"insert into health_data (device_sn, ts, heart_rate) select {device}, date_trunc('hour', now()) "
        f"- interval '12 hours' + {seconds + 1} * interval '1 second', 70 from {table}"
    )
    database.settle()
    return refresh_ms(database) / 1000


def refresh_ms(database):
    """Milliseconds of a refresh by hand, without the time psql takes to connect."""
    answer = finished(database.place.psql_command(database.name) + ["-c", "\\timing on", "-c", "call refresh_rollups()"])
    return milliseconds(answer)[-1]


def milliseconds(text):
    return [float(value) for value in re.findall(r"^Time: ([\d.]+) ms", text, re.MULTILINE)]


def queries(place, figures, database, devices):
    """Day and week over one connection that logged in as a dashboard; every query of sql/dashboards once."""
    database.psql(
        *[f"create role {role} login password 'bench' in role vitals_dashboard" for role in ROLES],
        f"insert into vitals.dashboard_tenant (role_name, all_tenants) values ('{ROLES[0]}', true)",
        f"insert into vitals.dashboard_tenant values ('{ROLES[1]}', 43)",
    )
    count, dice = place.scaled(2000, 50), random.Random(1)
    asked = {
        "day": "dashboard.device_hourly({}, now() - interval '1 day', now())",
        "week": "dashboard.device_daily({}, now() - interval '7 days', now())",
    }
    for what, source in asked.items():
        rounds = []
        for _ in range(place.scaled(3, 1)):
            serials = (f"'BENCH{dice.randint(1, devices):08}'" for _ in range(count))
            script = "\\o /dev/null\n\\timing on\n" + "".join(f"select * from {source.format(serial)};\n" for serial in serials)
            answer = finished(place.psql_command(database.name, ROLES[1], "bench") + ["-f", "-"], text=script)
            rounds.append(spread(milliseconds(answer)))
        figures.keep(f"rollup_{what}", rounds)
        best = min(rounds, key=lambda it: it["p95_ms"])
        all_rounds = ", ".join(f"{it['p95_ms']:.2f}" for it in rounds)
        text = f"p50 {best['p50_ms']:.2f} ms, p95 {best['p95_ms']:.2f}, p99 {best['p99_ms']:.2f} (p95 of the rounds: {all_rounds})"
        middle = statistics.median(it["p95_ms"] for it in rounds)
        name = f"a device's {what} from the rollups, a dashboard of one tenant"
        figures.add(name, text, f"p95 < {GOAL_QUERY_MS} ms", middle < GOAL_QUERY_MS)
    figures.keep("dashboards", slowest(place, figures, database))


def slowest(place, figures, database):
    """Milliseconds of each query, asked twice, as each role."""
    took = {}
    week_ago = time.strftime("%F", time.localtime(time.time() - 7 * 86_400))
    for path in sorted((ROOT / "sql/dashboards").glob("*.sql")):
        for role in ROLES:
            command = place.psql_command(database.name, role, "bench")
            command += ["-v", f"device={DASHBOARD_SERIAL}", "-v", f"from={week_ago}", "-v", "to=now", "-f", "-"]
            text = path.read_text()
            answer = finished(command, text=f"\\o /dev/null\n{text};\n\\timing on\n{text};\n")
            took[f"{path.stem} as {role}"] = sum(milliseconds(answer))
    name, most = max(took.items(), key=lambda it: it[1])
    figures.add("the slowest query of sql/dashboards", f"{name}: {most:.0f} ms")
    return took
