"""What a balancer costs and brings: uploads to one instance directly, and to one, two and three instances behind nginx with the files of
`docker/nginx`.

Before: `run`. After: `place` gives databases, services and load generator, which share the machine with nginx, PostgreSQL and Redis.
Promise: in turns, each with a database of its own; every acknowledged record is in the table. Skipped, with words, where there is no nginx.
"""

import contextlib
import os
import re
import shutil
import socket
import statistics
import time
from pathlib import Path
from urllib.parse import urlsplit

from .figures import latency, number
from .place import BATCHES, ROOT, SINGLES, Trouble, cpu_seconds, until

BOUND_SECONDS = 20 * 60
TURNS = 2
LOADS = {"single uploads, 256 connections": SINGLES, "batches of 100, 64 connections": BATCHES}
INSTANCES = (1, 2, 3)


def run(place, figures):
    """The bench of this name."""
    program = shutil.which("nginx", path="/usr/sbin:" + (os.environ.get("PATH", "")))
    if program is None:
        figures.note("Skipped: nginx is not installed (Debian: apt-get install nginx).")
        return
    for what, load in LOADS.items():
        compare(place, figures, program, what, load | ({"connections": 8} if place.smoke else {}))


def compare(place, figures, program, what, load):
    """One instance directly and several behind nginx, in turns."""
    lives = {count: [] for count in (0, *INSTANCES)}
    for _ in range(place.scaled(TURNS, 1)):
        for count, found in lives.items():
            found.append(measured(place, program, count, load))
    figures.keep(what, lives)
    rate = lambda found: statistics.mean(live["records_per_second"] for live in found)
    direct = rate(lives[0])
    for count, found in lives.items():
        each = " and ".join(number(live["records_per_second"]) for live in found)
        figure = f"{number(rate(found))} records/s ({each}); {latency(found[-1]['latency'])}"
        if count == 0:
            figures.add(f"{what}: one instance, directly", figure)
            continue
        cost = statistics.mean(live["nginx_us"] for live in found)
        figures.add(f"… {count} behind nginx", f"{figure}; **{rate(found) / direct:.2f}** of that; nginx takes {cost:.0f} µs of a core per request")


def measured(place, program, count, load):
    """A load on so many instances behind nginx; 0: on one, directly."""
    with contextlib.ExitStack() as ends:
        database = ends.enter_context(place.database())
        services = [ends.enter_context(database.service(instance=f"bench-{n}")) for n in range(max(1, count))]
        url, took = services[0].url, lambda: 0.0
        if count:
            url, took = ends.enter_context(nginx(place, program, services))
        before = took()
        live = place.load(url, **load)
        live["nginx_us"] = 1e6 * (took() - before) / live["requests"]
        database.settle(120)
        lost = live["stored"] - database.number("select count(*) from health_data")
        if lost > 0:
            raise Trouble(f"{lost:.0f} records were acknowledged and are not in the table")
        return live


@contextlib.contextmanager
def nginx(place, program, services):
    """nginx in front of the services: its URL, and a function that answers how long its processes have had a core."""
    folder = place.work / f"nginx.{time.monotonic_ns()}"
    shutil.copytree(ROOT / "docker/nginx", folder / "vitals")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    name_instances(folder / "vitals/instances.conf", [urlsplit(service.url).netloc for service in services])
    (folder / "vitals/listen.conf").write_text(f"listen {address};\n")
    temporary = "".join(f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; user root; pid nginx.pid; error_log stderr; worker_processes auto; worker_rlimit_nofile 4096;"
        f"events {{ worker_connections 2048; }} http {{ {temporary} include vitals/vitals.conf; }}"
    )
    log = place.work / f"{folder.name}.log"
    with place.running([program, "-e", "stderr", "-p", f"{folder}/", "-c", "nginx.conf"], log) as process:
        until(lambda: process.poll() is not None or answers(address), "nginx does not answer")
        if process.poll() is not None:
            raise Trouble(f"nginx ended at once: {log.read_text()[-2000:]}")
        yield f"http://{address}", lambda: sum(cpu_seconds(pid) for pid in (process.pid, *children(process.pid)))


def name_instances(file, addresses):
    """The two instances of the file become these."""
    lines = []
    for line in file.read_text().splitlines(keepends=True):
        if "127.0.0.1:8081" in line:
            lines += [line.replace("127.0.0.1:8081", address) for address in addresses]
        elif "127.0.0.1:8082" not in line:
            lines.append(line)
    file.write_text("".join(lines))


def answers(address):
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def children(parent):
    """The processes that this one has started."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if re.match(rf"\d+ \(.*\) \S {parent} ", stat.read_text()):
                yield stat.parent.name
