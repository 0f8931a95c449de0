"""Where a bench runs: servers, databases of its own, the service, the load generator.

Before: `run` says how long and how large. After: the benches.
Promise: whatever is started here is ended here, also on Ctrl-C or SIGTERM; databases are dropped; nothing runs without a bound.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent.parent
STACK = str(ROOT / "docker/stack")
# Emptied before and after. The last of those a Redis has by default, and never 0, where a service has its own.
REDIS_DATABASE = 15
# The loads that benches have in common.
BATCHES = {"connections": 64, "batch": 100, "devices": 2000}
SINGLES = {"connections": 256, "batch": 1, "devices": 5000}
# For what should take seconds.
BOUND_SECONDS = 240
HEALTH_COLUMNS = (
    "device_sn, ts, customer_id, org_id, user_id, heart_rate, blood_oxygen, temperature, pressure_high, pressure_low, "
    "stress, step, distance, calorie, latitude, longitude, altitude, upload_method"
)


class Trouble(Exception):
    """Why a bench did not run through."""


class Place:
    """Servers that answer, and a directory that is removed."""

    def __init__(self, seconds, smoke):
        self.seconds, self.smoke = seconds, smoke
        target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        self.vitals = str(target / ("debug" if smoke else "release") / "vitals")
        self.kept = target / "bench"  # the Python environment of the peer
        self.results = self.kept / "smoke" if smoke else self.kept
        self.given = "VITALS_DATABASE_URL" in os.environ
        self.ends = contextlib.ExitStack()
        self.number = 0

    def __enter__(self):
        self.results.mkdir(parents=True, exist_ok=True)
        build = ["cargo", "build", "--locked", "--quiet", "--workspace", "--bins"] + ([] if self.smoke else ["--release"])
        subprocess.run(build, cwd=ROOT, check=True)
        with contextlib.ExitStack() as ends:
            if subprocess.run([STACK, "status"], capture_output=True, check=False).returncode != 0:
                ends.callback(subprocess.run, [STACK, "down"], check=False)
            text = subprocess.run([STACK, "up"], stdout=subprocess.PIPE, text=True, check=True).stdout
            said = dict(re.findall(r"^export (\w+)='?([^'\n]*)'?$", text, re.MULTILINE))
            self.admin, self.redis = said["VITALS_DATABASE_URL"], with_path(said["VITALS_REDIS_URL"], REDIS_DATABASE)
            self.work = Path(tempfile.mkdtemp(prefix="vitals-bench-"))
            ends.callback(shutil.rmtree, self.work, ignore_errors=True)
            self.empty_redis()
            ends.callback(self.empty_redis)
            self.ends = ends.pop_all()
        return self

    def __exit__(self, *failure):
        return self.ends.__exit__(*failure)

    def scaled(self, full, small):
        """`full`, or in a smoke run `small`."""
        return small if self.smoke else full

    @contextlib.contextmanager
    def database(self):
        """A new database with the schema; dropped in the end."""
        self.number += 1
        database = Database(self, f"vitals_bench_{os.getpid()}_{self.number}")
        self.psql(None, f'create database "{database.name}"')
        try:
            database.vitals("migrate")
            yield database
        finally:
            self.psql(None, f'drop database if exists "{database.name}" with (force)')
            self.empty_redis()

    def psql_command(self, name, user=None, password=None):
        """psql on a database of the servers: that of the stack, or the machine's if the servers are given."""
        if self.given:
            parts = urlsplit(self.admin)
            login = f"{user}:{password}" if user else parts.netloc.rpartition("@")[0]
            parts = parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}")
            command = ["psql", "-d", with_path(urlunsplit(parts), name) if name else urlunsplit(parts)]
        else:
            login = f" user={user} password={password}" if user else ""
            command = [STACK, "psql"] + (["-d", f"dbname={name}{login}"] if name else [])
        return command + ["-qAtX", "-v", "ON_ERROR_STOP=1"]

    def psql(self, name, *statements, text=None, bound_seconds=BOUND_SECONDS):
        """What the statements answer."""
        command = self.psql_command(name)
        for statement in statements:
            command += ["-c", statement]
        return finished(command, text, bound_seconds)

    def redis_command(self, *words):
        if "VITALS_REDIS_URL" in os.environ:
            return ["redis-cli", "-u", self.redis, *words]
        return [STACK, "redis-cli", "-n", str(REDIS_DATABASE), *words]

    def empty_redis(self):
        finished(self.redis_command("flushdb"))

    @contextlib.contextmanager
    def running(self, command, log, environment=None, cwd=ROOT):
        """A process in the background; asked to end, then made to."""
        with open(log, "wb") as out:
            process = subprocess.Popen(
                command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        try:
            yield process
        finally:
            # With what it started: a script in between need not pass the word on.
            end_group(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                end_group(process.pid, signal.SIGKILL)
                process.wait()

    def simulate(self, url, *options, seconds=None, **named):
        """One run of the load generator: its report. Errors of any kind are trouble."""
        for name, value in {"seconds": seconds or self.seconds, **named}.items():
            # `None` is an option that takes no value.
            options += (f"--{name.replace('_', '-')}",) + (() if value is None else (str(value),))
        command = [self.vitals, "simulate", "--url", url, "--json", *options]
        bound_seconds = BOUND_SECONDS + (seconds or self.seconds)
        done = subprocess.run(command, capture_output=True, text=True, timeout=bound_seconds, check=False)
        if not done.stdout:
            raise Trouble(f"simulate {' '.join(options)}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def load(self, url, **named):
        """The live part of [`simulate`], which must have had no error."""
        live = self.simulate(url, **named)["live"]
        if live["errors"]:
            raise Trouble(f"the load {named} met with errors: {live['errors']}")
        return live


class Database:
    """A database of a bench."""

    def __init__(self, place, name):
        self.place, self.name = place, name
        self.url = with_path(place.admin, name)

    def psql(self, *statements, **options):
        return self.place.psql(self.name, *statements, **options)

    def number(self, query):
        """The one number that `query` answers."""
        return float(self.psql(query) or "nan")

    def environment(self, **settings):
        """Of a process that is to work with this database; settings are named as in the settings file."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VITALS_")}
        environment |= {"VITALS_DATABASE_URL": self.url, "VITALS_REDIS_URL": self.place.redis}
        return environment | {f"VITALS_{name.upper()}": str(value) for name, value in settings.items()}

    def vitals(self, *words, bound_seconds=BOUND_SECONDS):
        """A command of vitals; what it says."""
        command = [self.place.vitals, *words]
        return finished(command, bound_seconds=bound_seconds, environment=self.environment())

    def settle(self, bound_seconds=60):
        """Waits until everything committed was reacted to. In one session: a psql each time would take time from what is measured."""
        self.psql(
            f"set statement_timeout = '{bound_seconds}s'",
            "do $$ begin while exists (select from outbox) loop commit; perform pg_sleep(0.05); end loop; end $$",
            bound_seconds=bound_seconds + BOUND_SECONDS,
        )

    @contextlib.contextmanager
    def service(self, **settings):
        """The service on this database."""
        place = self.place
        log = place.work / f"service.{time.monotonic_ns()}.log"
        environment = self.environment(listen="127.0.0.1:0", log_format="json", **settings)
        with place.running([place.vitals, "serve"], log, environment) as process:
            address = until(
                lambda: re.search(r'"address":"([^"]*)"', log.read_text()) or dead(process, log),
                "the service does not serve",
            )
            yield Service(f"http://{address[1]}", process)


class Service:
    """A running service, or its peer."""

    def __init__(self, url, process):
        self.url, self.process = url, process

    def memory_mb(self, peak=True):
        """Resident memory: the most so far, or now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{'VmHWM' if peak else 'VmRSS'}:\s*(\d+)", status, re.MULTILINE)[1]) / 1024

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def metric(self, name, authorization=None):
        """The sum of a metric over its labels."""
        request = urllib.request.Request(f"{self.url}/metrics", headers={"authorization": authorization} if authorization else {})
        text = urllib.request.urlopen(request, timeout=10).read().decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))


def end_group(leader, by):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, by)


def cpu_seconds(pid):
    """Time a process has had a core, and its children that were waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def with_path(url, path):
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}"))


def finished(command, text=None, bound_seconds=BOUND_SECONDS, environment=None):
    """What a command says that must succeed."""
    source = {"input": text} if text is not None else {"stdin": subprocess.DEVNULL}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=bound_seconds, check=False, **source
    )
    if done.returncode != 0:
        raise Trouble(f"{' '.join(command)[:300]}: {done.stderr.strip()[-2000:]}")
    return done.stdout.strip()


def until(condition, otherwise, bound_seconds=30):
    """Waits for something true and answers it."""
    end = time.monotonic() + bound_seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise Trouble(f"{otherwise} after {bound_seconds} s")


def dead(process, log):
    """Trouble, if the process has ended."""
    if process.poll() is not None:
        raise Trouble(f"ended at once: {log.read_text()[-2000:]}")


def spread(values):
    """Quantiles, as the load generator names them."""
    values = sorted(values)
    if not values:
        raise Trouble("nothing was measured")
    at = lambda share: values[min(len(values) - 1, int(share * len(values)))]
    return {
        "mean_ms": sum(values) / len(values), "p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99),
        "max_ms": values[-1], "count": len(values),
    }
