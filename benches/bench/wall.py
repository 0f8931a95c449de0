"""What an open wall sees, and costs: from a committed upload to the changed row in Chromium at half load, with 50 streams open.

Before: `run`. After: a tenant with watches of its own beside the fleet of the load, a kiosk link, a browser that shows it, 50 readers of the
stream, and readers of the page as fast as they can.
Promise: seen in the browser, by an observer of its document, after the frame in which the row is there; counted from the start of the
transaction that committed the row, so no figure is too small. Without chromedriver the browser is left out, with a message.
"""

import contextlib
import http.client
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import threading
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from .figures import latency, number
from .place import BATCHES, ROOT, Trouble, spread, until

GOAL_MS = 1000
GOAL_PAGES = 500
STREAMS = 50
TENANT = 5
SERIAL = "CANARY"
# Uploads a second of the tenant; every tenth is an SOS.
PER_SECOND = 5
READERS = 4

DIRECTORY = f"""
    insert into customer (customer_id, name) values ({TENANT}, 'Bench');
    insert into org_unit (org_id, ancestors, name) values (50, '{{0,{TENANT}}}', 'Ward');
    insert into app_user (user_id, org_id, name) select n + 1, 50, 'Person ' || (n + 1) from generate_series(0, 999) as n;
    insert into device_binding (device_sn, user_id) select '{SERIAL}' || n, n + 1 from generate_series(0, 999) as n;
    insert into device (device_sn) select '{SERIAL}' || n from generate_series(0, 999) as n
"""

# Notes when each row of the ticker, and each alert, was first drawn.
OBSERVE = """
    window.seen = {};
    const note = () => requestAnimationFrame(() => {
        const now = performance.timeOrigin + performance.now();
        for (const row of document.querySelectorAll('#ticker li, [data-alert]')) {
            const name = /Person \\d+/.exec(row.innerText)?.[0];
            if (name) window.seen[(row.dataset.alert ? 'alert ' : 'value ') + name] ??= now;
        }
    });
    new MutationObserver(note).observe(document.querySelector('main'), { childList: true, subtree: true });
"""


def run(place, figures):
    """The bench of this name."""
    with place.database() as database:
        for statement in DIRECTORY.split(";\n"):
            database.psql(statement)
        key = database.vitals("keys", "create", "bench", "--scope", "read", "--tenant", str(TENANT), "--as", "bearer")
        upload = database.vitals("keys", "create", "fleet", "--scope", "upload", "--as", "bearer")
        operator = database.vitals("keys", "create", "operator", "--scope", "read", "--as", "bearer")
        link = database.vitals("kiosk", "create", "bench", "--tenant", str(TENANT))
        with database.service(authentication="keys") as service:
            full = place.load(service.url, **BATCHES, authorization=upload)["records_per_second"]
            database.settle()
            with browser(place, f"{service.url}{re.search(r'/kiosk/[^ ]+', link)[0]}") as page:
                live(place, figures, database, service, page, (key, upload, operator), full / 2)
            pages(place, figures, service, key)


def live(place, figures, database, service, page, keys, rate):
    """Half the load, at first without the streams and then with them."""
    key, upload, operator = keys
    load = {**BATCHES, "rate": round(rate), "authorization": upload}
    before = cost(service, lambda: place.load(service.url, **load))
    alone = connections(place, database)
    over = threading.Event()
    sending = threading.Thread(target=send, args=(service.url, upload, over))
    with streams(service.url, key):
        until(lambda: service.metric("vitals_streams_open", operator) >= STREAMS, "not every stream is open")
        together = connections(place, database)
        sending.start()
        try:
            after = cost(service, lambda: place.load(service.url, **load))
        finally:
            over.set()
            sending.join()
        database.settle()
        time.sleep(2)
        seen = page("return window.seen") if page else {}
    figures.add(f"half load: {number(rate)} records/s", f"service {before:.2f} cores without streams, {after:.2f} with {STREAMS} and a browser")
    figures.add(f"connections to PostgreSQL and Redis, without and with {STREAMS} streams", f"{alone} and {together}")
    if page:
        report(figures, database, seen)
    else:
        figures.note("Chromium was left out: there is no chromedriver.")


def report(figures, database, seen):
    rows = database.psql(
        f"""select 'value', h.user_id, extract(epoch from b.committed_at) * 1000
            from health_data as h join vitals.ingest_batch as b using (batch_id) where h.device_sn like '{SERIAL}%' and b.kind = 'reading'
            union all
            select 'alert', e.user_id, extract(epoch from b.committed_at) * 1000
            from device_event as e join vitals.ingest_batch as b using (batch_id) where e.device_sn like '{SERIAL}%' and b.kind = 'event'"""
    )
    for kind, what in (("value", "committed value → drawn in Chromium"), ("alert", "committed SOS → alert drawn in Chromium")):
        took, unseen = [], 0
        for _, person, committed in (row.split("|") for row in rows.splitlines() if row.startswith(kind)):
            drawn = seen.get(f"{kind} Person {person}")
            unseen += drawn is None
            if drawn:
                took.append(drawn - float(committed))
        # In a second of a smoke run none may have been drawn before the page was looked at.
        if took:
            took = spread(took)
            figures.keep(what, took)
            figures.add(f"… {what}", f"{latency(took, 'p50', 'p95', 'p99')} ({took['count']})", f"p95 < {GOAL_MS} ms", took["p95_ms"] < GOAL_MS)
        figures.add(f"… {what}: not seen", str(unseen), "0", unseen == 0)


def cost(service, work):
    """Cores that the service took meanwhile."""
    began, cpu = time.monotonic(), service.cpu_seconds()
    work()
    return (service.cpu_seconds() - cpu) / (time.monotonic() - began)


def connections(place, database):
    """Connections to the database, and to Redis."""
    to_redis = subprocess.run(place.redis_command("info", "clients"), capture_output=True, text=True, check=True).stdout
    to_redis = int(re.search(r"connected_clients:(\d+)", to_redis)[1])
    return f"{database.number('select count(*) from pg_stat_activity where datname = current_database()'):.0f} + {to_redis}"


def send(url, authorization, over):
    """Watches of the tenant, each once, and an SOS of every tenth."""
    connection, sent, began = http.client.HTTPConnection(urlsplit(url).netloc, timeout=15), 0, time.monotonic()
    headers = {"content-type": "application/json", "authorization": authorization}
    while not over.is_set() and sent < 1000:
        device, now = f"{SERIAL}{sent}", int(time.time())
        bodies = [("/upload_health_data", {"data": {"deviceSn": device, "heart_rate": 75, "timestamp": now}})]
        if sent % 10 == 0:
            bodies.append(("/upload_common_event", {"deviceSn": device, "eventType": "SOS_EVENT", "eventValue": "1", "timestamp": now}))
        for path, body in bodies:
            connection.request("POST", path, json.dumps(body), headers)
            connection.getresponse().read()
        sent += 1
        over.wait(max(0, began + sent / PER_SECOND - time.monotonic()))
    connection.close()


@contextlib.contextmanager
def streams(url, authorization):
    """Open streams of the tenant, each read as it comes."""
    address = urlsplit(url)
    sockets = []

    def read(connection):
        with contextlib.suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            connection.request("GET", "/api/stream", headers={"authorization": authorization})
            answer = connection.getresponse()
            while answer.read1(65536):
                pass

    threads = []
    for _ in range(STREAMS):
        connection = http.client.HTTPConnection(address.netloc)
        connection.connect()
        sockets.append(connection.sock)
        threads.append(threading.Thread(target=read, args=(connection,), daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for socket in sockets:
            with contextlib.suppress(OSError):
                socket.shutdown(2)
        for thread in threads:
            thread.join()


def pages(place, figures, service, authorization):
    """The wall as often as readers get it."""
    with multiprocessing.Pool(READERS) as pool:
        done = pool.starmap(read_pages, [(service.url, authorization, place.seconds)] * READERS)
    rate = sum(pages for pages, _ in done) / place.seconds
    took = spread([each for _, times in done for each in times])
    figures.add(f"/wall, {READERS} readers", f"**{number(rate)}** pages/s; {latency(took)}", f"≥ {GOAL_PAGES}/s", rate >= GOAL_PAGES)


def read_pages(url, authorization, seconds):
    connection, times, end = http.client.HTTPConnection(urlsplit(url).netloc, timeout=15), [], time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        connection.request("GET", "/wall", headers={"authorization": authorization})
        answer = connection.getresponse()
        if len(answer.read()) < 1000 or answer.status != 200:
            raise Trouble(f"/wall is answered {answer.status}")
        times.append(1000 * (time.monotonic() - began))
    return len(times), times


@contextlib.contextmanager
def browser(place, url):
    """Chromium with the page; a function that runs a script in it. None: there is no chromedriver."""
    driver = shutil.which("chromedriver", path=f"{os.environ['PATH']}:{ROOT / 'target/tools/usr/bin'}")
    binary = next((path for path in chromium(driver) if path.is_file()), None) if driver else None
    if binary is None:
        yield None
        return
    log = place.work / "chromedriver.log"
    with place.running([driver, "--port=0"], log):
        port = until(lambda: re.search(r"started successfully on port (\d+)", log.read_text()), "chromedriver does not start")[1]
        options = {"binary": str(binary), "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1920,1080"]}
        capabilities = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
        session = f"http://127.0.0.1:{port}/session"
        session += "/" + ask(session, {"capabilities": capabilities})["sessionId"]
        try:
            script = lambda text: ask(f"{session}/execute/sync", {"script": text, "args": []})
            ask(f"{session}/url", {"url": url})
            until(lambda: script("return document.getElementById('live')?.dataset.state") == "live", "the page does not become live")
            script(OBSERVE)
            yield script
        finally:
            urllib.request.urlopen(urllib.request.Request(session, method="DELETE"), timeout=30).close()


def chromium(driver):
    return [Path(driver).parent / "../lib/chromium/chromium", Path("/usr/lib/chromium/chromium")]


def ask(url, body):
    """An answer of chromedriver."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["value"]
