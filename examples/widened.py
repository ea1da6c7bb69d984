"""Whether the cells that widened in a report of authz-pin are those of a list and no others.

    python3 widened.py REPORT.json LIST

A line of the list is `ENDPOINT/TARGET/ACTOR RULE EFFECTS`: the preset or rule that told the refusal, or `status`, and what
the call changes now, or `nothing`.
"""

import json
import sys

_, report, wanted = sys.argv
with open(report, encoding="utf-8") as file:
    endpoints = json.load(file)["endpoints"]
with open(wanted, encoding="utf-8") as file:
    expected = {line.strip() for line in file if line.strip()}


def line(endpoint, drift):
    before, after = (endpoint[when]["cells"][drift["target"]][drift["actor"]] for when in ("before", "record"))
    # A label is the change and a digest of it.
    effects = ", ".join(label.rsplit(" ", 1)[0] for label in after.get("effects", [])) or "nothing"
    return f"{endpoint['name']}/{drift['target']}/{drift['actor']} {before.get('by') or 'status'} {effects}"


widened = {
    line(endpoint, drift) for endpoint in endpoints for drift in endpoint["drifts"] if drift["kind"] == "widened"
}
for cell in sorted(widened):
    print(f"widened {cell}")
if widened != expected:
    sys.exit(f"widened besides: {sorted(widened - expected)}; not widened: {sorted(expected - widened)}")
