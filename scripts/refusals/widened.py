"""Whether the cells that widened in a report of authz-pin are those of a list and no others, and what refused there.

    python widened.py REPORT.json LIST

A line of the list is `ENDPOINT/TARGET/ACTOR RULE`: the preset or rule that told the refusal, or `status`.
"""

import json
import sys

_, report, wanted = sys.argv
with open(report, encoding="utf-8") as file:
    endpoints = json.load(file)["endpoints"]
with open(wanted, encoding="utf-8") as file:
    expected = {line.strip() for line in file if line.strip()}

widened = set()
for endpoint in endpoints:
    for drift in endpoint["drifts"]:
        if drift["kind"] == "widened":
            before = endpoint["before"]["cells"][drift["target"]][drift["actor"]]
            widened.add(f"{endpoint['name']}/{drift['target']}/{drift['actor']} {before.get('by') or 'status'}")

for cell in sorted(widened):
    print(f"widened {cell}")
if widened != expected:
    sys.exit(f"widened besides: {sorted(widened - expected)}; not widened: {sorted(expected - widened)}")
