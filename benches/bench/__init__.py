"""The benches: one file each, over what they share.

    place      servers, databases, the service, the load generator: whatever is started is ended
    figures    what came out, as a Markdown table and as JSON; the machine, the commit, the goals
    plot       throughput and latency as a picture

Promise: standard library only, but for the peer and the picture, which have a Python environment of their own (`peer`).
"""
