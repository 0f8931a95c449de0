"""Many connections: 5 000 open ones that upload single samples at a rate, and what the service needs for them.

Before: `run`, `table`. After: a new service, so that its memory is that of these connections.
Promise: uploads are due by the clock, whatever the answers do, and latency counts from then.
"""

from .figures import latency, number

RATE, MEAN_MS, P99_MS, ERROR_SHARE, MEMORY_MB = 5_000, 100, 500, 0.001, 150


def run(place, figures):
    """The bench of this name."""
    connections, rate = place.scaled(5_000, 500), place.scaled(1.04 * RATE, 500)
    with place.database() as database, database.service() as service:
        live = place.simulate(
            service.url, connections=connections, batch=1, devices=connections, rate=rate, seconds=place.scaled(max(place.seconds, 10), 2)
        )["live"]
        memory = service.memory_mb()
    figures.keep("connections", live)
    took, failed = live["latency"], sum(live["errors"].values()) + live["refused"]
    reached = live["acknowledged"] / live["seconds"]
    within = took["mean_ms"] < MEAN_MS and took["p99_ms"] < P99_MS and failed < ERROR_SHARE * live["requests"]
    figures.add(
        f"{number(connections)} connections",
        f"{number(reached)} requests/s; {latency(took)}; {failed} of {number(live['requests'])} refused or failed",
        f"{number(RATE)}/s: mean < {MEAN_MS} ms, p99 < {P99_MS}, errors < 0.1 %",
        within and reached >= place.scaled(RATE, 0),
    )
    figures.add("… peak memory of the service", f"{memory:.0f} MB", f"< {MEMORY_MB} MB", memory < MEMORY_MB)
