"""What a fleet needs: the costs of a record and of a watch, a table for fleets of any size, and a fleet that the table is checked with.

Before: `run`. After: the table, as Markdown for the section "Sizing" of docker/README.md.
Promise: single uploads, as watches send them, all parts on one machine, settings as they are. Processor time and WAL are counted at
three rates: the more uploads, the more of them share a transaction and a reaction, so a record costs less. The table has what lies on the
lines between these; above the highest rate a record costs what it costs there. The simulated fleet, the smallest of the table, is measured
apart from these. Bytes are those of a day at a sample a minute with every vital sign, written at once (time compressed).
"""

import itertools
import re
from pathlib import Path

from .figures import number
from .place import Trouble, cpu_seconds, finished

BOUND_SECONDS = 20 * 60
STATEMENT_SECONDS = 8 * 60
FLEETS = (10_000, 100_000, 1_000_000, 10_000_000)
SAMPLES_A_DAY = 24 * 60
# Of the table that says which topology: what one may use at most. Half of the cores is for queries, refreshes and catching up.
ONE_MACHINE = {"cores": 2, "index_gb": 4}
ONE_DATABASE = {"cores": 16, "index_gb": 64}
# Where the Apache edition cannot compress: measured on the Community edition (docker/README.md, "Sizing").
COMPRESSED_SHARE = 27 / 230

DAY = """
    insert into device (device_sn) select 'DAY' || lpad(n::text, 13, '0') from generate_series(1, {devices}) as n on conflict do nothing;
    insert into health_data (device_sn, ts, customer_id, org_id, user_id, heart_rate, blood_oxygen, temperature, pressure_high, pressure_low,
        stress, step, distance, calorie, latitude, longitude, altitude, upload_method)
    select device_sn, at, 1939964806110937090, 1939964806110937091, 1939964806110937092, 60 + random() * 50, 92 + random() * 7,
        round((36 + random())::numeric, 1), 110 + random() * 30, 70 + random() * 20, 1 + random() * 90, random() * 9000,
        round((random() * 7000)::numeric, 1), round((random() * 90000)::numeric, 1), 22.5 + random() / 100, 114 + random() / 100, 31.5, 'wifi'
    from device, generate_series(date_trunc('day', now()) - interval '3 days', date_trunc('day', now()) - interval '2 days 1 minute',
        interval '1 minute') as at
    order by at, device_sn;
    delete from outbox
"""


def run(place, figures):
    """The bench of this name."""
    costs = {}
    for rate in place.scaled((100, 1_000, 10_000), (20, 50, 200)):
        costs[rate] = load(place, rate, min(rate * 60, place.scaled(100_000, 1_000)), place.seconds)
        add_costs(figures, f"{number(rate)} single uploads a second", costs[rate])
    model = lines(costs)
    with place.database() as database:
        model |= bytes_of_a_day(place, database)
    figures.keep("costs", {str(rate): cost for rate, cost in costs.items()})
    figures.keep("model", model)
    figures.add("a row of health_data, its indexes", f"{model['row_bytes']:.0f} bytes, {model['index_bytes']:.0f} of them indexes")
    figures.add("the same, compressed", f"{model['compressed_bytes']:.0f} bytes ({model['compressed_by']})")
    figures.add("all rollups, a watch and a day", f"{number(model['rollup_bytes'])} bytes")
    fleet = place.scaled(FLEETS[0], 600)
    # Long enough for background writers and refreshes to take part.
    simulated = load(place, fleet / 60, fleet, place.seconds * place.scaled(15, 2))
    check(figures, fleet, simulated, estimate(model, fleet))
    figures.note(markdown(figures, model))


def load(place, rate, devices, seconds):
    """Single uploads at a rate: cores by part, bytes of WAL and of Redis, memory."""
    with place.database() as database, database.service() as service:
        options = {"connections": min(256, devices), "batch": 1, "devices": devices}
        # Plans, connections, and the first samples of watches.
        place.load(service.url, **options, rate=rate, seconds=2)
        database.settle()
        before, redis_before = spent(database, service), redis_bytes(place)
        live = place.load(service.url, **options, rate=rate, seconds=seconds)
        database.settle()
        after = spent(database, service)
        records = after["records"] - before["records"]
        if records < 1:
            raise Trouble("no record was stored")
        cost = {name: after[name] - before[name] for name in ("service", "postgres", "redis", "wal")}
        cost |= {"records": records, "seconds": after["at"] - before["at"], "rate": live["records_per_second"]}
        watches = max(1, database.number("select count(*) from device"))
        redis_empty = empty_redis_bytes(place)
        cost |= {"memory_mb": service.memory_mb(), "redis_bytes": max(0, max(redis_before, redis_bytes(place)) - redis_empty) / watches}
        return cost


def spent(database, service):
    """What has been spent until now."""
    return {
        "service": service.cpu_seconds(),
        "postgres": cpu_of("postgres"),
        "redis": cpu_of("redis-server"),
        "wal": database.number("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"),
        "records": database.number("select coalesce(sum(stored), 0) from vitals.ingest_batch"),
        "at": database.number("select extract(epoch from clock_timestamp())"),
    }


def cpu_of(program):
    """Seconds of all processes of a program on this machine, ended children of its first process included."""
    total = 0
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                if (process / "comm").read_text().strip() == program:
                    total += cpu_seconds(process.name)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
    return total


def redis_bytes(place):
    text = finished(place.redis_command("info", "memory"))
    return int(re.search(r"used_memory:(\d+)", text)[1])


def empty_redis_bytes(place):
    """What Redis takes without keys of ours: kept of the first time."""
    if not hasattr(place, "redis_empty_bytes"):
        place.empty_redis()
        place.redis_empty_bytes = redis_bytes(place)
    return place.redis_empty_bytes


def add_costs(figures, what, cost):
    each = ", ".join(f"{part} {1e6 * cost[part] / cost['records']:.0f} µs" for part in ("service", "postgres", "redis"))
    bytes_text = f"WAL {cost['wal'] / cost['records']:.0f} bytes a record; Redis {cost['redis_bytes']:.0f} bytes a watch"
    figures.add(what, f"{number(cost['rate'])}/s reached; {each} a record; {bytes_text}; service {cost['memory_mb']:.0f} MB")


def lines(costs):
    """What a second costs at each rate, by part, as pairs of records a second and cost."""
    model = {"redis_bytes": max(cost["redis_bytes"] for cost in costs.values())}
    for part in ("service", "postgres", "redis", "wal"):
        model[part] = sorted((cost["records"] / cost["seconds"], cost[part] / cost["seconds"]) for cost in costs.values())
    return model


def at_rate(points, rate):
    """What a second costs at a rate."""
    if rate <= points[0][0]:
        return points[0][1]
    for (low, low_cost), (high, high_cost) in itertools.pairwise(points):
        if rate <= high:
            return low_cost + (high_cost - low_cost) * (rate - low) / (high - low)
    return points[-1][1] * rate / points[-1][0]


def bytes_of_a_day(place, database):
    """Bytes of rows and rollups, a day at a sample a minute."""
    devices = place.scaled(1_000, 10)
    for statement in DAY.format(devices=devices).split(";\n"):
        database.psql(statement, bound_seconds=STATEMENT_SECONDS)
    database.psql("call refresh_rollups(date_trunc('day', now()) - interval '4 days', date_trunc('day', now()))")
    database.psql("vacuum analyze")
    rows = database.number("select count(*) from health_data")
    sizes = "from hypertable_detailed_size('health_data')"
    rollups = database.number(
        "select sum(pg_total_relation_size(format('%I.%I', c.schema_name, c.table_name)::regclass)) "
        "from vitals.rollup r, lateral (select parse_ident(vitals.rollup_table(r.name)) as name) t "
        "join _timescaledb_catalog.hypertable h on h.schema_name = t.name[1] and h.table_name = t.name[2] "
        "join _timescaledb_catalog.chunk c on c.hypertable_id = h.id and not c.dropped"
    )
    found = {
        "row_bytes": database.number(f"select sum(total_bytes) {sizes}") / rows,
        "index_bytes": database.number(f"select sum(index_bytes) {sizes}") / rows,
        "rollup_bytes": rollups / devices,
    }
    if database.psql("select vitals.edition()") == "community":
        database.psql("alter table health_data set (timescaledb.compress, timescaledb.compress_segmentby = 'device_sn', timescaledb.compress_orderby = 'ts')")
        database.psql("select count(compress_chunk(c)) from show_chunks('health_data') as c", bound_seconds=STATEMENT_SECONDS)
        return found | {"compressed_bytes": database.number(f"select sum(total_bytes) {sizes}") / rows, "compressed_by": "measured"}
    return found | {"compressed_bytes": found["row_bytes"] * COMPRESSED_SHARE, "compressed_by": "by the ratio of the Community edition, 27 of 230"}


def estimate(model, watches):
    """What a fleet needs at a sample a minute."""
    rate, day = watches / 60, watches * SAMPLES_A_DAY
    cores = {part: at_rate(model[part], rate) for part in ("service", "postgres", "redis")}
    need = {
        "rate": rate,
        **cores,
        "cores": sum(cores.values()),
        "wal_mb": at_rate(model["wal"], rate) / 1e6,
        "raw_gb": day * model["row_bytes"] / 1e9,
        "compressed_gb": day * model["compressed_bytes"] / 1e9,
        "index_gb": day * model["index_bytes"] / 1e9,
        "rollup_gb": watches * model["rollup_bytes"] / 1e9,
        "redis_gb": watches * model["redis_bytes"] / 1e9,
    }
    return need | {"topology": topology(need)}


def topology(need):
    fits = lambda limits: all(need[name] <= limit for name, limit in limits.items())
    if fits(ONE_MACHINE):
        return "one machine"
    if fits(ONE_DATABASE):
        return "one HA cluster"
    return f"{max(2, *(-int(-need[name] // limit) for name, limit in ONE_DATABASE.items()))} cells"


def check(figures, fleet, measured, expected):
    """The fleet, compared with its row of the table."""
    figures.keep("simulation", measured)
    add_costs(figures, f"{number(fleet)} watches at a sample a minute, {measured['seconds']:.0f} s", measured)
    cores = sum(measured[part] for part in ("service", "postgres", "redis")) / measured["seconds"]
    wal_mb = measured["wal"] / measured["seconds"] / 1e6
    for what, value, planned in (("cores", cores, expected["cores"]), ("MB of WAL a second", wal_mb, expected["wal_mb"])):
        share = value / planned if planned else float("nan")
        figures.add(f"… {what}, measured / by the table", f"{value:.3f} / {planned:.3f} = **{share:.2f}**", "0.5 to 2", 0.5 <= share <= 2)


def markdown(figures, model):
    """The table of the section "Sizing"."""
    size = lambda gb: f"{gb / 1000:.1f} TB" if gb >= 1000 else f"{gb:.0f} GB" if gb >= 10 else f"{gb:.1f} GB" if gb >= 0.1 else f"{1000 * gb:.0f} MB"
    cores = lambda value: f"{value:.1f}" if value >= 0.1 else f"{value:.2f}"
    lines = [
        "",
        f"At a sample a minute, by `benches/run capacity` at {figures.commit} ({figures.servers()}):",
        "",
        "| watches | samples/s | cores: service, PostgreSQL, Redis | WAL | rows a day, their indexes | compressed | rollups a day | Redis | takes |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for watches in FLEETS:
        need = estimate(model, watches)
        parts = ", ".join(cores(need[part]) for part in ("service", "postgres", "redis"))
        lines.append(
            f"| {number(watches)} | {number(need['rate'])} | {parts} | {need['wal_mb']:.2g} MB/s | {size(need['raw_gb'])}, {size(need['index_gb'])} | "
            f"{size(need['compressed_gb'])} | {size(need['rollup_gb'])} | {size(need['redis_gb'])} | {need['topology']} |"
        )
    return "\n".join([*lines, ""])
