"""Whether the cells that widened in a report of authz-pin are these and no others.

    python widened.py REPORT.json ENDPOINT/TARGET/ACTOR...
"""

import json
import sys

_, report, *expected = sys.argv
with open(report, encoding="utf-8") as file:
    endpoints = json.load(file)["endpoints"]

widened = {
    f"{endpoint['name']}/{drift['target']}/{drift['actor']}": f"{drift['was']} -> {drift['is']}"
    for endpoint in endpoints
    for drift in endpoint["drifts"]
    if drift["kind"] == "widened"
}
for cell, change in widened.items():
    print(f"widened {cell}: {change}")

others = sorted(set(widened) - set(expected))
missing = sorted(set(expected) - set(widened))
if others or missing:
    sys.exit(f"widened besides: {others}; not widened: {missing}")
