"""What a hub of two cells costs: a month's daily rollup over both, compared with each cell's own answer.

Before: `run`. After: two databases with devices of their own and a month of samples, rolled up, and a database of foreign tables over
them (sql/federation/hub.sql).
Promise: one statement everywhere, by a dashboard that may see every tenant, over one connection; the cells answer alone and in turns with
the hub, for which they work at the same time. All three share the machine.
"""

import statistics
from contextlib import contextmanager
from urllib.parse import urlsplit

from .figures import number
from .place import ROOT, finished
from .rollups import milliseconds

GOAL = 1.5
CELLS = ("north", "south")
ROLE = "vitals_bench_hub"
DAYS = 31

FILL = """
    insert into device (device_sn) select '{cell}' || lpad(n::text, 8, '0') from generate_series(1, {devices}) as n;
    insert into health_data (device_sn, ts, heart_rate, blood_oxygen, temperature, stress, step)
    select device_sn, at, 60 + random() * 50, 92 + random() * 7, round((36 + random())::numeric, 1), 1 + random() * 90, random() * 9000
    from generate_series(now() - {days} * interval '1 day', now(), interval '2 hours') as at, device order by device_sn, at;
    delete from outbox;
    update vitals.cell set name = '{cell}'
"""

MONTH = """
    select cell, day, sum(samples), sum(heart_rate_sum) / sum(heart_rate_count), max(step_max)
    from dashboard.health_daily where bucket >= (select now() - interval '30 days') group by cell, day order by cell, day
"""


def run(place, figures):
    """The bench of this name."""
    drop = f"drop role if exists {ROLE}"
    place.psql(None, drop)
    try:
        with place.database() as north, place.database() as south:
            databases = dict(zip(CELLS, (north, south)))
            for cell, database in databases.items():
                fill(place, cell, database)
            with hub(place, databases) as hub_name:
                measure(place, figures, databases, hub_name)
    finally:
        place.psql(None, drop)


def fill(place, cell, database):
    """A month, rolled up, and the login of the hub."""
    database.vitals("roles")
    if cell == CELLS[0]:
        database.psql(f"create role {ROLE} login password 'bench' in role vitals_dashboard")
    database.psql(f"insert into vitals.dashboard_tenant (role_name, all_tenants) values ('{ROLE}', true)")
    for statement in FILL.format(cell=cell, devices=place.scaled(4000, 20), days=DAYS).split(";\n"):
        database.psql(statement)
    database.psql(f"call refresh_rollups(date_trunc('day', now()) - {DAYS + 1} * interval '1 day', now())")
    database.psql("vacuum analyze")


@contextmanager
def hub(place, databases):
    """A database of foreign tables; its name."""
    name = f"{databases['north'].name}_hub"
    place.psql(None, f'create database "{name}"')
    try:
        place.psql(name, text=(ROOT / "sql/federation/hub.sql").read_text())
        for cell, database in databases.items():
            # A server of docker/stack is reached from itself, too, under the port of its URL.
            port = urlsplit(database.url).port or 5432
            connection = f"host=127.0.0.1 port={port} dbname={database.name}"
            place.psql(name, f"select federation.add_cell('{cell}', '{connection}', '{ROLE}', 'bench')")
        yield name
    finally:
        place.psql(None, f'drop database if exists "{name}" with (force)')


def measure(place, figures, databases, hub_name):
    """Turns: each cell by itself, then the hub."""
    rounds, asked = place.scaled(5, 1), place.scaled(20, 2)
    took = {cell: [] for cell in (*CELLS, "hub")}
    rows = {}
    for _ in range(rounds):
        for cell, database in databases.items():
            rows[cell] = answer(place, place.psql_command(database.name, ROLE, "bench"), asked, took[cell])
        rows["hub"] = answer(place, place.psql_command(hub_name), asked, took["hub"])
    figures.keep("milliseconds", took)
    medians = {cell: statistics.median(each) for cell, each in took.items()}
    slower = max(medians[cell] for cell in CELLS)
    buckets = number(databases["north"].number("select count(*) from health_daily where bucket >= now() - interval '30 days'"))
    figures.add(f"a month by day, {buckets} buckets in each cell", ", ".join(f"{cell} {medians[cell]:.1f} ms" for cell in CELLS))
    figures.add("the same over both, in the hub", f"{medians['hub']:.1f} ms; the rows of both: {rows['hub'] == rows['north'] + rows['south']}")
    ratio = medians["hub"] / slower
    figures.add("… of the slower cell's own answer", f"**{ratio:.2f}**", f"≤ {GOAL}", ratio <= GOAL)


def answer(place, command, times, took):
    """The rows; adds the milliseconds of each time but the first, which plans and connects."""
    script = f"{MONTH};\n\\o /dev/null\n\\timing on\n" + f"{MONTH};\n" * times
    text = finished(command + ["-f", "-"], text=script)
    took += milliseconds(text)
    return [line for line in text.splitlines() if line.count("|") == 4]
