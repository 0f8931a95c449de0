"""The picture: throughput and 99th percentile over connections and over the size of a batch.

Before: `sweep` writes the points. After: an SVG, for README.md.
Promise: the same points give the same file.
"""

import json
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "vitals", "svg.fonttype": "none", "font.size": 9})
import matplotlib.pyplot as plt  # noqa: E402 (the backend is chosen first)


def main(source, picture):
    with open(source) as text:
        sweeps = json.load(text)
    figure, axes = plt.subplots(2, len(sweeps), figsize=(3.6 * len(sweeps), 5.2), sharex="col", constrained_layout=True)
    for column, (what, points) in zip(axes.T, sweeps.items()):
        over = "batch" if "size" in what else "connections"
        places = [point[over] for point in points]
        for axis, values, color in ((column[0], "rate", "tab:blue"), (column[1], "p99_ms", "tab:red")):
            axis.plot(places, [point[values] for point in points], "o-", color=color)
            axis.set_xscale("log")
            axis.grid(True, which="major", alpha=0.3)
            axis.minorticks_off()
            axis.set_xticks(places, [str(place) for place in places])
        column[0].set_title(what, fontsize=9)
        column[0].set_ylim(bottom=0)
        column[0].yaxis.set_major_formatter(lambda value, _: f"{value / 1000:g} k")
        column[1].set_yscale("log")
        column[1].set_xlabel("samples in an upload" if over == "batch" else "open connections")
    axes[0][0].set_ylabel("records a second, committed")
    axes[1][0].set_ylabel("p99 to the answer, ms")
    figure.savefig(picture, metadata={"Date": None})


main(*sys.argv[1:])
