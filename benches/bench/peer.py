"""The peer: `benches/peer`, run as one would run it, with as many workers as cores.

Before: `uploads` wants something to compare with. After: the peer serves on the database it is given.
Promise: its Python environment lies under `target/bench` and is made once; where PyPI cannot be reached the peer is skipped, with
words.
"""

import contextlib
import os
import re
import subprocess
import sys

from .place import ROOT, Service, Trouble, dead, until

CODE = ROOT / "benches/peer"
PYPI_SECONDS = 180


def python(place):
    """The interpreter that has what the peer needs; `None`: it cannot be had here."""
    home = place.kept / "python"
    interpreter, wanted, had = home / "bin/python", (CODE / "requirements.txt").read_text(), home / "requirements.txt"
    if had.exists() and had.read_text() == wanted:
        return str(interpreter)
    try:
        bounded = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, "timeout": PYPI_SECONDS}
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], **bounded)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "10"]
        subprocess.run([str(interpreter), *install, "-r", str(CODE / "requirements.txt")], **bounded)
    except (subprocess.SubprocessError, OSError) as error:
        why = (getattr(error, "stderr", None) or str(error)).strip().splitlines() or ["no reason given"]
        print(f"no Python environment for the peer and the picture: {why[-1]}", flush=True)
        return None
    had.write_text(wanted)
    return str(interpreter)


@contextlib.contextmanager
def serving(database, interpreter, write):
    """The peer on this database, writing by `insert` or `copy`."""
    place = database.place
    log = place.work / f"peer.{write}.log"
    environment = database.environment() | {"PEER_DATABASE_URL": database.url, "PEER_WRITE": write, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        interpreter, "-m", "uvicorn", "service:app", "--host", "127.0.0.1", "--port", "0", "--workers", str(os.cpu_count()),
        "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--backlog", "4096",
    ]
    with place.running(command, log, environment, cwd=CODE) as process:

        def ready():
            text = log.read_text()
            if text.count("Application startup complete") < os.cpu_count():
                return dead(process, log)
            return re.search(r"running on (http://\S+)", text)

        yield Service(until(ready, "the peer does not serve")[1], process)
        if "Traceback" in log.read_text():
            raise Trouble(f"the peer failed: {log.read_text()[-2000:]}")
