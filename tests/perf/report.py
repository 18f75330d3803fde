"""Tables of what was measured, for the terminal and for docs/performance.md."""

import json
import statistics

from intervals import median_interval, ratios
from programs import ROOT
from scenarios import SCENARIOS

PAGE = ROOT / "docs" / "performance.md"
REFERENCE = "nginx"
ORDER = ("nginx", "weir", "haproxy")
COUNTS_CPU = ("busy", "paced")  # kinds of scenario


def read_records(path):
    """(facts, {scenario: {gateway: [record]}}) of a file of records."""
    facts, found = {}, {}
    for line in path.read_text().splitlines():
        record = json.loads(line)
        if "facts" in record:
            facts = record["facts"]
        else:
            by_gateway = found.setdefault(record["scenario"], {})
            by_gateway.setdefault(record["gateway"], []).append(record)
    in_order = {name: found[name] for name in SCENARIOS if name in found}
    return facts, {scenario: {gateway: by_gateway[gateway] for gateway in ORDER
                              if gateway in by_gateway}
                   for scenario, by_gateway in in_order.items()}


def median(records, name):
    values = [record[name] for record in records if name in record]
    return statistics.median(values) if values else float("nan")


def total(records, name):
    return sum(record[name] for record in records)


def count_errors(found):
    return sum(total(records, "errors") for by_gateway in found.values()
               for records in by_gateway.values())


def table(head, rows):
    """A Markdown table whose columns also stand straight in a terminal."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]

    def line(row):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])])


def ratio_of(gateway, by_gateway):
    """(median, low, high) of the per-round ratios to nginx; None for nginx itself."""
    if gateway == REFERENCE or REFERENCE not in by_gateway:
        return None
    found = ratios(by_gateway[gateway], by_gateway[REFERENCE])
    return median_interval(found) if found else None


def ratio_groups(found, gateways):
    """[(title, {gateway: (median, low, high)})] of the scenarios that count CPU time."""
    groups = []
    for scenario, by_gateway in found.items():
        if SCENARIOS[scenario].kind not in COUNTS_CPU:
            continue
        known = {gateway: ratio_of(gateway, by_gateway)
                 for gateway in gateways if gateway in by_gateway}
        known = {gateway: ratio for gateway, ratio in known.items() if ratio}
        if known:
            groups.append((SCENARIOS[scenario].title, known))
    return groups


def verdict(scenario, gateway, ratio):
    bound = SCENARIOS[scenario].bound
    if gateway != "weir" or not bound or ratio is None:
        return ""
    return f"≤ {bound}: {'holds' if ratio[2] <= bound else 'missed'}"


# --- the tables -----------------------------------------------------------------------------------

CPU_HEAD = ["scenario", "gateway", "CPU µs", "× nginx", "95 % interval", "must be",
            "other threads µs", "per second", "p50/p99 ms", "rounds", "errors"]


def cpu_row(scenario, gateway, by_gateway):
    records, ratio = by_gateway[gateway], ratio_of(gateway, by_gateway)
    streaming = "stream" in SCENARIOS[scenario].load
    time_name = "gap_us" if SCENARIOS[scenario].kind == "paced" else "latency_us"
    per_second = median(records, "per_second")
    if SCENARIOS[scenario].kind == "paced":
        per_second = statistics.median(r["window_events"] / r["window_s"] for r in records)
    return [
        scenario, gateway, f"{median(records, 'cpu_us'):.2f}",
        f"{ratio[0]:.3f}" if ratio else "1" if gateway == REFERENCE else "",
        f"{ratio[1]:.3f} - {ratio[2]:.3f}" if ratio else "",
        verdict(scenario, gateway, ratio),
        f"{median(records, 'others_us'):.2f}",
        f"{per_second:,.0f}" + (" events" if streaming and time_name == "gap_us" else ""),
        f"{median(records, time_name + '_p50') / 1e3:.2f}/"
        f"{median(records, time_name + '_p99') / 1e3:.2f}",
        len(records), total(records, "errors"),
    ]


def cpu_table(found):
    rows = [cpu_row(scenario, gateway, by_gateway) for scenario, by_gateway in found.items()
            if SCENARIOS[scenario].kind in COUNTS_CPU for gateway in by_gateway]
    return table(CPU_HEAD, rows) if rows else ""


def latency_table(found):
    head = ["gateway", "requests/s", "p50 ms", "p99 ms", "added p50 ms", "added p99 ms",
            "95 % interval", "rounds", "errors"]
    rows = []
    for gateway, records in found.get("latency", {}).items():
        added = median_interval([record["added_p99_us"] / 1e3 for record in records])
        rows.append([gateway, f"{median(records, 'rate'):,.0f}",
                     f"{median(records, 'latency_us_p50') / 1e3:.3f}",
                     f"{median(records, 'latency_us_p99') / 1e3:.3f}",
                     f"{median(records, 'added_p50_us') / 1e3:.3f}", f"{added[0]:.3f}",
                     f"{added[1]:.3f} - {added[2]:.3f}", len(records), total(records, "errors")])
    return table(head, rows) if rows else ""


def memory_table(found):
    head = ["gateway", "at start MiB", "KiB per idle connection", "KiB per open stream"]
    idle, paced = found.get("idle", {}), found.get("sse-paced", {})
    rows = []
    for gateway in ORDER:
        if gateway not in idle and gateway not in paced:
            continue
        per_stream = max((r["kib_per_stream"] for r in paced.get(gateway, [])),
                         default=float("nan"))
        rows.append([gateway, f"{median(idle.get(gateway, []), 'resident_mib'):.1f}",
                     f"{median(idle.get(gateway, []), 'kib_per_connection'):.2f}",
                     f"{per_stream:.1f}"])
    return table(head, rows) if rows else ""


def facts_table(facts):
    return table(["", ""], [[name, value] for name, value in facts.items() if value])


def foreign_note(found):
    """How busy other programs kept the gateway's core: above a few per cent, no good run."""
    shares = [record["foreign_share"] for by_gateway in found.values()
              for records in by_gateway.values() for record in records
              if "foreign_share" in record]
    if not shares:
        return ""
    return (f"Other programs took {statistics.median(shares):.1%} of the gateways' core"
            f" (the median of all windows; {max(shares):.1%} in the worst).")


def render(facts, found):
    parts = [facts_table(facts), foreign_note(found),
             "**CPU time** per request, or per event of paced streams", cpu_table(found),
             "**Latency** at half of the peak" if "latency" in found else "",
             latency_table(found),
             "**Memory**" if "idle" in found or "sse-paced" in found else "",
             memory_table(found)]
    return "\n\n".join(part for part in parts if part)


# --- the page -------------------------------------------------------------------------------------

def replace_section(name, text):
    """Puts a text between the page's markers of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = PAGE.read_text()
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise RuntimeError(f"{PAGE.name} has no section {name}")
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}")
