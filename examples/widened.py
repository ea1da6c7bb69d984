"""Whether the cells that widened in a report of authz-pin, and what more is shown, are those of a list and no others.

    python3 widened.py REPORT.json LIST

A line of the list is `ENDPOINT/TARGET/ACTOR RULE EFFECTS`: the preset or rule that told the refusal, or `status`, and what
the call changes now, or `nothing`. Or it is `ENDPOINT/TARGET/ACTOR shown NAMES`: what a call that was allowed before shows
besides.
"""

import json
import sys

_, report, wanted = sys.argv
with open(report, encoding="utf-8") as file:
    endpoints = json.load(file)["endpoints"]
with open(wanted, encoding="utf-8") as file:
    expected = {line.strip() for line in file if line.strip()}


def opened(endpoint, drift):
    before, after = (endpoint[when]["cells"][drift["target"]][drift["actor"]] for when in ("before", "record"))
    # A label is the change and a digest of it.
    effects = ", ".join(label.rsplit(" ", 1)[0] for label in after.get("effects", [])) or "nothing"
    return f"{before.get('by') or 'status'} {effects}"


SAYS = {"widened": opened, "disclosure-widened": lambda _, drift: f"shown {drift['is']}"}
widened = {
    f"{endpoint['name']}/{drift['target']}/{drift['actor']} {SAYS[drift['kind']](endpoint, drift)}"
    for endpoint in endpoints
    for drift in endpoint["drifts"]
    if drift["kind"] in SAYS
}
for cell in sorted(widened):
    print(f"widened {cell}")
if widened != expected:
    sys.exit(f"widened besides: {sorted(widened - expected)}; not widened: {sorted(expected - widened)}")
