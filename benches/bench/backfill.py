"""History from a file: `vitals backfill` beside psql's own \\copy of the same rows into the same table.

Before: `run`. After: `place`; no service runs.
Promise: the same rows, in turns, each into a database of its own; both read CSV and begin with a new process. `vitals backfill` does
what \\copy does not: it reads each row by the rules of an upload, keeps what cannot be stored, and notes how far it is.
"""

import statistics
import time

from .figures import number
from .place import HEALTH_COLUMNS, finished

GOAL = 0.8
DEVICES = 1_000


def run(place, figures):
    """The bench of this name."""
    rows = write_history(place, place.scaled(1_000_000, 10_000))
    copied, taken = [], []
    for _ in range(place.scaled(3, 1)):
        with place.database() as database:
            command = place.psql_command(database.name)
            copy = f"\\copy health_data ({HEALTH_COLUMNS}) from pstdin with (format csv, header)"
            text = (place.work / "history.csv").read_text()
            copied.append(rows / seconds_of(lambda: finished([*command, "-c", copy], text=text)))
        with place.database() as database:
            taken.append(rows / seconds_of(lambda: database.vitals("backfill", str(place.work / "history.csv"))))
            stored = database.number("select count(*) from health_data")
            if stored != rows:
                raise AssertionError(f"{stored} of {rows} rows are stored")
    figures.keep("copy", copied)
    figures.keep("backfill", taken)
    all_of = lambda rates: ", ".join(number(rate) for rate in rates)
    figures.add("psql \\copy, CSV", f"{number(statistics.median(copied))} records/s ({all_of(copied)})")
    figures.add("vitals backfill, the same file", f"{number(statistics.median(taken))} records/s ({all_of(taken)})")
    share = statistics.median(taken) / statistics.median(copied)
    figures.add("… of \\copy", f"**{share:.2f}**", f"≥ {GOAL}", share >= GOAL)


def write_history(place, rows):
    """A file as another system would export it, by device and time; how many rows it has."""
    each = rows // DEVICES
    text = place.psql(
        None,
        f"""copy (
            select 'HIST' || lpad(d::text, 9, '0') as device_sn, timestamptz '2026-01-02 00:00Z' + s * interval '1 minute' as ts,
                1939964806110937090 as customer_id, 1939964806110937091 as org_id, 1939964806110937092 as user_id,
                60 + (d + s) % 60 as heart_rate, 94 + s % 6 as blood_oxygen, 36.1 + (s % 9) / 10.0 as temperature,
                110 + s % 20 as pressure_high, 70 + s % 15 as pressure_low, 30 + s % 40 as stress, s as step, s * 0.7 as distance,
                s * 40.5 as calorie, 22.540363 + d / 100000.0 as latitude, 114.015182 + d / 100000.0 as longitude,
                31.5 as altitude, 'wifi' as upload_method
            from generate_series(1, {DEVICES}) d, generate_series(1, {each}) s
        ) to stdout with (format csv, header)""",
    )
    (place.work / "history.csv").write_text(text + "\n")
    return DEVICES * each


def seconds_of(work):
    began = time.monotonic()
    work()
    return time.monotonic() - began
