"""The whole table of what the system must reach (README.md, "Goals"), side by side in one run.

Before: `run`. After: `figures` says which goal is met.
Promise: ratios are those of this run; under twelve minutes; what fails does not keep the rest from being measured.
"""

from . import connections, reaction, rollups, sweep, uploads
from .place import Trouble


def run(place, figures):
    """The bench of this name."""
    batch_rate = uploads.batches(place, figures)
    failed = []
    for part in (
        lambda: uploads.beside_peer(place, figures, batch_rate),
        lambda: connections.run(place, figures),
        lambda: half_load(place, figures, batch_rate),
        lambda: rollups.run(place, figures),
        lambda: sweep.run(place, figures),
    ):
        try:
            part()
        except Trouble as trouble:
            print(f"TROUBLE: {trouble}", flush=True)
            failed.append(str(trouble))
    if failed:
        raise Trouble("; ".join(failed))


def half_load(place, figures, batch_rate):
    with place.database() as database, database.service() as service:
        reaction.at_half_load(place, figures, database, service, batch_rate)
