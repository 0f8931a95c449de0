"""What an answer from the buffer costs: uploads with `buffer = always` beside `off`, with a Redis that writes its file at each group and
with one that does so each second; and what a WAITAOF costs over the size of its group.

Before: `run`. After: `place` gives databases, services and load generator; a Redis of its own keeps its append-only file on disk.
Promise: in turns, each with a database of its own; every acknowledged record is in the table once afterwards. Skipped, with words, where
no Redis can be started.
"""

import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import time
from urllib.parse import urlsplit

from .figures import latency, number
from .place import BATCHES, SINGLES, STACK, Trouble, spread, until

BOUND_SECONDS = 30 * 60
TURNS = 2
LOADS = {"single uploads, 256 connections": SINGLES, "batches of 100, 64 connections": BATCHES}
POLICIES = ("always", "everysec")
GROUPS = (1, 10, 100, 1000)
# About what a single sample takes in a stream.
ENTRY = b"x" * 400
SKIPPED = "Skipped: no Redis can be started (a private stack of docker/stack, or redis-server on PATH)."


def run(place, figures):
    """The bench of this name."""
    for policy in POLICIES:
        with durable_redis(place, policy) as url:
            if url is None:
                figures.note(SKIPPED)
                return
            for what, load in LOADS.items():
                compare(place, figures, url, f"{what}, appendfsync {policy}", load | ({"connections": 8} if place.smoke else {}))
            waits(place, figures, url, policy)


@contextlib.contextmanager
def durable_redis(place, policy):
    """The URL of a Redis that is fit for a buffer; `None`: none can be started."""
    program = [STACK, "redis-server"] if private_stack() else [shutil.which("redis-server")]
    if program[0] is None:
        yield None
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Not below /tmp, which may be memory.
    folder = place.results / f"redis.{time.monotonic_ns()}"
    folder.mkdir()
    options = ["--port", str(port), "--appendonly", "yes", "--appendfsync", policy, "--maxmemory-policy", "noeviction"]
    if len(program) == 1:
        options += ["--dir", str(folder), "--save", ""]
    log = place.work / f"redis.{port}.log"
    try:
        with place.running([*program, *options], log, os.environ | {"VITALS_STACK_REDIS_DIR": str(folder)}) as process:
            url = f"redis://127.0.0.1:{port}/0"
            until(lambda: process.poll() is not None or Redis.answers(url), "Redis does not answer")
            if process.poll() is not None:
                raise Trouble(f"Redis ended at once: {log.read_text()[-2000:]}")
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def private_stack():
    """Whether docker/stack has built the servers itself, so that it can start another Redis."""
    status = subprocess.run([STACK, "status"], capture_output=True, text=True, check=False)
    return "private Debian" in status.stdout


def compare(place, figures, url, what, load):
    """`off` and `always` in turns."""
    lives = {"off": [], "always": []}
    for _ in range(place.scaled(TURNS, 1)):
        lives["off"].append(measured(place, load))
        lives["always"].append(measured(place, load, buffer="always", buffer_url=url))
    figures.keep(what, lives)
    rate = {mode: statistics.mean(live["records_per_second"] for live in found) for mode, found in lives.items()}
    for mode, found in lives.items():
        each = " and ".join(number(live["records_per_second"]) for live in found)
        figure = f"{number(rate[mode])} records/s ({each}); {latency(found[-1]['latency'], 'p50', 'p99')}"
        if mode == "always":
            drained = statistics.mean(live["drain_seconds"] for live in found)
            figure += f"; **{rate[mode] / rate['off']:.2f}** of `off`; all stored {drained:.1f} s after the last answer"
        figures.add(f"{what}: `{mode}`" if mode == "off" else f"… `{mode}`", figure)


def measured(place, load, **settings):
    """A load, after which everything is in the table once."""
    with place.database() as database, database.service(**settings) as service:
        live = place.load(service.url, **load)
        ended = time.monotonic()
        if settings:
            drained(database, settings["buffer_url"])
        live["drain_seconds"] = time.monotonic() - ended
        database.settle(120)
        stored = database.number("select count(*) from health_data")
        if stored != live["stored"]:
            raise Trouble(f"{live['stored']} records were acknowledged, {stored:.0f} are in the table")
        return live


def drained(database, url, bound_seconds=600):
    """Waits until the buffer is empty."""
    with Redis(url) as redis:
        keys = [f"vitals:{kind}:{{{number_of}}}" for kind in ("upload", "urgent_upload") for number_of in range(64)]
        empty = lambda: not any(redis.pipeline([("XLEN", key) for key in keys]))
        until(empty, "the buffer is not drained", bound_seconds)


def waits(place, figures, url, policy):
    """How long a group of appends and its WAITAOF take, by its size."""
    took = {}
    with Redis(url) as redis:
        for size in GROUPS:
            group = [("XADD", "bench", "*", "upload", ENTRY)] * size + [("WAITAOF", "1", "0", "5000")]
            took[size] = []
            until_at = time.monotonic() + place.scaled(5, 1)
            while time.monotonic() < until_at or len(took[size]) < 3:
                began = time.monotonic()
                if redis.pipeline(group)[-1] != [1, 0]:
                    raise Trouble(f"a group of {size} was not on disk in time")
                took[size].append(1000 * (time.monotonic() - began))
            redis.pipeline([("DEL", "bench")])
    figures.keep(f"waitaof {policy}", took)
    each = (f"{number(size)}: {latency(spread(values), 'p50', 'p99')}" for size, values in took.items())
    figures.add(f"a group with its WAITAOF, appendfsync {policy}, by appends", "; ".join(each))


class Redis:
    """A connection that sends commands together and takes their answers."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=30)
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.stream.close()
        self.socket.close()

    @staticmethod
    def answers(url):
        """Whether it answers."""
        try:
            with Redis(url) as redis:
                return redis.pipeline([("PING",)]) == ["PONG"]
        except OSError:
            return False

    def pipeline(self, commands):
        """The answers of the commands, in their order."""
        sent = bytearray()
        for command in commands:
            words = [word if isinstance(word, bytes) else str(word).encode() for word in command]
            sent += b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        self.socket.sendall(sent)
        return [self.answer() for _ in commands]

    def answer(self):
        line = self.stream.readline().rstrip().decode()
        kind, rest = line[:1], line[1:]
        if kind == "-" or not kind:
            raise Trouble(f"Redis: {rest or 'the connection is lost'}")
        if kind == "*":
            return [self.answer() for _ in range(int(rest))]
        if kind == "$":
            return self.stream.read(int(rest) + 2)[:-2].decode(errors="replace") if rest != "-1" else None
        return int(rest) if kind == ":" else rest
