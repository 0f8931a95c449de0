"""The ceiling: two psql COPY connections into the same table, with its key, index and trigger, as many rows as a load stores.

Before: a database with the schema. After: `uploads` holds its own figure against this one.
Promise: every run copies rows that are new to its database; text COPY, sorted by time as they would come.
"""

import subprocess
import time

from .place import BOUND_SECONDS, HEALTH_COLUMNS, Trouble

DEVICES = 2_000


def write_rows(place, each):
    """Two files of about `each` rows."""
    for half in (1, 2):
        rows = f"""copy (
            select 'CEIL' || lpad((d + {half} * 100000)::text, 9, '0'), timestamptz '2026-01-02 00:00Z' + s * interval '1 second',
                1939964806110937090, 1939964806110937091, 1939964806110937092, 60 + (d + s) % 60, 94 + s % 6,
                36.1 + (s % 9) / 10.0, 110 + s % 20, 70 + s % 15, 30 + s % 40, s, s * 0.7, s * 40.5,
                22.540363 + d / 100000.0, 114.015182 + d / 100000.0, 31.5, 'wifi'
            from generate_series(1, {each} / ({DEVICES} / 2)) s, generate_series(1, {DEVICES} / 2) d
        ) to stdout"""
        with open(place.work / f"rows.{half}", "wb") as out:
            subprocess.run(place.psql_command(None) + ["-c", rows], stdout=out, check=True, timeout=BOUND_SECONDS)


def measure(database, each):
    """Records a second of both connections together."""
    place = database.place
    if not (place.work / "rows.1").exists():
        write_rows(place, each)
    copy = place.psql_command(database.name) + ["-c", f"\\copy health_data ({HEALTH_COLUMNS}) from pstdin"]
    began = time.monotonic()
    running = []
    for half in (1, 2):
        with open(place.work / f"rows.{half}", "rb") as rows:
            running.append(subprocess.Popen(copy, stdin=rows))
    codes = [process.wait(BOUND_SECONDS) for process in running]
    took = time.monotonic() - began
    if any(codes):
        raise Trouble("COPY failed")
    return 2 * each / took
