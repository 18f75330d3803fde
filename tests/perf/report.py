"""Tables of what was measured, for the terminal and for docs/performance.md."""

import json
import statistics

from intervals import median_interval, ratios
from programs import ROOT
from scenarios import (GOVERNANCE_BOUND, KEY_BYTES_BOUND, KEYS_BOUND, LATENCY_BOUND_MS,
                       SCENARIOS)

PAGE = ROOT / "docs" / "performance.md"
REFERENCE = "nginx"
BARE = "weir-bare"
FEW_KEYS = "weir-10-keys"
ORDER = ("nginx", BARE, "weir-no-limits", "weir", "haproxy",
         FEW_KEYS, "weir-10,000-keys", "weir-1,000,000-keys")
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


def ratio_of(gateway, by_gateway, reference=REFERENCE):
    """(median, low, high) of the per-round ratios to nginx; None for nginx itself."""
    if gateway == reference or gateway not in by_gateway or reference not in by_gateway:
        return None
    found = ratios(by_gateway[gateway], by_gateway[reference])
    return median_interval(found) if found else None


def in_words(ratio):
    return [f"{ratio[0]:.3f}", f"{ratio[1]:.3f} - {ratio[2]:.3f}"] if ratio else ["", ""]


def judge(value, bound, unit=""):
    return f"≤ {bound:g}{unit}: {'holds' if value <= bound else 'missed'}"


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
    return judge(ratio[2], bound) if gateway == "weir" and bound and ratio else ""


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
        in_words(ratio)[0] or ("1" if gateway == REFERENCE else ""), in_words(ratio)[1],
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


def governance_table(found):
    """What a request costs more than through weir's transport alone."""
    head = ["scenario", "gateway", "CPU µs", "more than bare, µs", "× weir-bare",
            "95 % interval", "must be", "rounds"]
    rows = []
    for scenario, by_gateway in found.items():
        for gateway in ("weir-no-limits", "weir"):
            ratio = ratio_of(gateway, by_gateway, BARE)
            if ratio is None:
                continue
            spent, bare = (median(by_gateway[name], "cpu_us") for name in (gateway, BARE))
            is_bound = scenario == "chat" and gateway == "weir"
            rows.append([scenario, gateway, f"{spent:.2f}", f"{spent - bare:.2f}",
                         *in_words(ratio), judge(ratio[2], GOVERNANCE_BOUND) if is_bound else "",
                         len(by_gateway[gateway])])
    return table(head, rows) if rows else ""


def keys_table(found):
    head = ["keys", "CPU µs", "× 10 keys", "95 % interval", "must be", "MiB at start",
            "bytes per key", "must be", "rounds", "errors"]
    by_gateway = found.get("keys", {})
    rows = []
    for gateway, records in by_gateway.items():
        ratio, keys = ratio_of(gateway, by_gateway, FEW_KEYS), records[0]["keys"]
        resident = median(records, "resident_bytes")
        row = [f"{keys:,}", f"{median(records, 'cpu_us'):.2f}", *in_words(ratio),
               judge(ratio[2], KEYS_BOUND) if ratio else "", f"{resident / 2**20:.1f}", "", ""]
        if keys >= 1_000_000 and FEW_KEYS in by_gateway:
            each = (resident - median(by_gateway[FEW_KEYS], "resident_bytes")) / keys
            row[-2:] = [f"{each:.0f}", judge(each, KEY_BYTES_BOUND)]
        rows.append([*row, len(records), total(records, "errors")])
    return table(head, rows) if rows else ""


def latency_table(found):
    head = ["gateway", "requests/s", "p50 ms", "p99 ms", "added p50 ms", "added p99 ms",
            "95 % interval", "must be", "rounds", "errors"]
    rows = []
    for gateway, records in found.get("latency", {}).items():
        added = median_interval([record["added_p99_us"] / 1e3 for record in records])
        rows.append([gateway, f"{median(records, 'rate'):,.0f}",
                     f"{median(records, 'latency_us_p50') / 1e3:.3f}",
                     f"{median(records, 'latency_us_p99') / 1e3:.3f}",
                     f"{median(records, 'added_p50_us') / 1e3:.3f}", f"{added[0]:.3f}",
                     f"{added[1]:.3f} - {added[2]:.3f}",
                     judge(added[2], LATENCY_BOUND_MS, " ms") if gateway == "weir" else "",
                     len(records), total(records, "errors")])
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


def titled(title, content):
    return [title, content] if content else []


def render(facts, found):
    parts = [facts_table(facts), foreign_note(found),
             *titled("**CPU time** per request, or per event of paced streams", cpu_table(found)),
             *titled("**Governance**: key check, limits, budgets, ledger, metrics and log, beside"
                     " weir's transport alone", governance_table(found)),
             *titled("**Many keys**, each with a limit and a budget; each request has any of them",
                     keys_table(found)),
             *titled("**Latency** at half of the peak", latency_table(found)),
             *titled("**Memory**", memory_table(found))]
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
