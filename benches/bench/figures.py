"""What came out: rows with a figure and, where DESIGN.md section 9 names one, a goal.

Before: the benches. After: a Markdown table on standard output, to be pasted into README.md, and JSON under `target/bench`.
Promise: a goal that is missed says so in its row.
"""

import json
import os
import platform
import subprocess
from datetime import datetime, timezone

from .place import ROOT


class Figures:
    """Rows as they come."""

    def __init__(self, place, name):
        self.place, self.name, self.rows, self.raw, self.notes = place, name, [], {}, []
        self.load_before = os.getloadavg()[0]
        # Of what runs, not of what is there when it ends.
        self.commit = commit()

    def add(self, what, figure, goal=None, met=None):
        """A row; `met` says whether the goal is reached, which a smoke run cannot tell."""
        met = None if self.place.smoke else met
        self.rows.append({"what": what, "figure": figure, "goal": goal, "met": met})
        verdict = "" if met is None else "   goal met" if met else f"   GOAL MISSED: {goal}"
        print(f"{what:58} {figure}{verdict}", flush=True)

    def note(self, text):
        """A sentence below the table."""
        self.notes.append(text)
        print(text, flush=True)

    def keep(self, name, value):
        """For the JSON alone."""
        self.raw[name] = value

    def missed(self):
        return [row for row in self.rows if row["met"] is False]

    def markdown(self):
        verdicts = {None: "", True: "met", False: "**missed**"}
        lines = [f"`benches/run {self.name}`: {self.circumstances()}", "", "| what | figure | goal | |", "|---|---|---|---|"]
        for row in self.rows:
            lines.append(f"| {row['what']} | {row['figure']} | {row['goal'] or ''} | {verdicts[row['met']]} |")
        return "\n".join(lines + ([""] + self.notes if self.notes else []))

    def circumstances(self):
        load = f"load {self.load_before:.1f} before, {os.getloadavg()[0]:.1f} after"
        build = "debug build" if self.place.smoke else "release build"
        return f"{datetime.now(timezone.utc):%F}, {self.commit}, {build}, {self.place.seconds} s a load; {machine()}; {self.servers()}; {load}"

    def servers(self):
        text = subprocess.run([str(ROOT / "docker/stack"), "status"], capture_output=True, text=True, check=False).stdout
        return ", ".join(line.strip() for line in text.splitlines() if line.startswith(" ")) or "servers unknown"

    def write(self):
        """The table on standard output, everything under `target/bench`."""
        text = self.markdown()
        print(f"\n{text}\n")
        (self.place.results / f"{self.name}.md").write_text(text + "\n")
        whole = {"circumstances": self.circumstances(), "rows": self.rows, "notes": self.notes, **self.raw}
        (self.place.results / f"{self.name}.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")


def machine():
    cores, pages = os.cpu_count(), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{cores} cores ({platform.machine()}), {pages / 2**30:.0f} GiB"


def commit():
    ask = lambda *words: subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    # What is measured is the program and its SQL.
    changed = ask("status", "--porcelain", "--", "src", "sql", "migrations", "docker", "Cargo.lock")
    return (ask("rev-parse", "--short", "HEAD") or "no commit") + (" with changes" if changed else "")


def number(value):
    """`1234567.8` as `1 234 568`."""
    return f"{value:,.0f}".replace(",", " ")


def latency(spread, *names):
    """`p50 1.2 ms, p99 3.4`."""
    parts = [f"{name} {spread[f'{name}_ms']:.1f}" for name in names or ("mean", "p50", "p95", "p99")]
    return f"{parts[0]} ms" + "".join(f", {part}" for part in parts[1:])
