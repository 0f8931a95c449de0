"""Throughput and latency over connections and over the size of a batch, for the picture.

Before: `run`, `table`. After: `plot`.
Promise: short loads one after the other into one database, as fast as they are answered.
"""

import json
import subprocess

from . import peer
from .figures import number
from .place import ROOT


def run(place, figures):
    """The bench of this name."""
    seconds = place.scaled(max(1, place.seconds // 4), 1)
    sweeps = {
        "single uploads over connections": [(connections, 1) for connections in place.scaled((1, 4, 16, 64, 256, 1000, 5000), (1, 16))],
        "batches of 100 over connections": [(connections, 100) for connections in place.scaled((1, 4, 16, 64, 256, 1000), (1, 16))],
        "64 connections over the batch size": [(64, batch) for batch in place.scaled((1, 2, 5, 10, 20, 50, 100), (1, 100))],
    }
    points = {}
    with place.database() as database, database.service() as service:
        for what, settings in sweeps.items():
            points[what] = []
            for connections, batch in settings:
                live = place.load(service.url, connections=connections, batch=batch, devices=max(2000, connections), seconds=seconds)
                keep = {"connections": connections, "batch": batch, "rate": live["records_per_second"], "refused": live["refused"]}
                points[what].append(keep | live["latency"])
    figures.keep("sweep", points)
    for what, row in points.items():
        over = "batch" if "size" in what else "connections"
        figures.add(what, ", ".join(f"{point[over]}: {number(point['rate'])}/s p99 {point['p99_ms']:.0f} ms" for point in row))
    draw(place, figures, points)


def draw(place, figures, points):
    interpreter = peer.python(place)
    if interpreter is None:
        figures.note("The picture was not drawn: matplotlib cannot be had here (PyPI out of reach?).")
        return
    source, picture = place.work / "sweep.json", place.results / "throughput.svg"
    source.write_text(json.dumps(points))
    subprocess.run([interpreter, str(ROOT / "benches/bench/plot.py"), str(source), str(picture)], check=True, timeout=120)
    print(f"picture: {picture}")
