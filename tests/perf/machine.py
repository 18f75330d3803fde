"""What /proc tells: CPU time of threads, resident memory, load of a core, facts for a report."""

import os
import platform
import re
import shutil
import subprocess
import time
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def tree(pid):
    """The process and all that it started."""
    found, waiting = [], [pid]
    while waiting:
        each = waiting.pop()
        try:
            for children in Path(f"/proc/{each}/task").glob("*/children"):
                waiting += map(int, children.read_text().split())
        except OSError:
            continue  # it is gone
        found.append(each)
    return found


def thread_times(pid):
    """{(process, thread, name): nanoseconds on a core so far} of a process tree.

    From schedstat, which counts nanoseconds; the ticks of /proc/PID/stat are 10 ms long.
    """
    times = {}
    for process in tree(pid):
        for task in Path(f"/proc/{process}/task").iterdir():
            try:
                spent = int((task / "schedstat").read_text().split()[0])
                times[process, int(task.name), (task / "comm").read_text().strip()] = spent
            except OSError:
                continue
    return times


def resident_bytes(pid):
    """Summed over the tree. From smaps_rollup: the counters in statm lag behind by pages."""
    total = 0
    for process in tree(pid):
        try:
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:
            continue
        total += int(re.search(r"^Rss:\s+(\d+) kB", rollup, re.M)[1]) * 1024
    return total


def core_busy_ns(core):
    """How long a core has been doing anything for anybody."""
    stat = Path("/proc/stat").read_text()
    user, nice, system, _, _, irq, softirq, steal = map(
        int, re.search(rf"^cpu{core} ((?:\d+ ?){{8}})", stat, re.M)[1].split())
    return (user + nice + system + irq + softirq + steal) * 1_000_000_000 // TICKS_PER_SECOND


def first_line(command, stream="stdout"):
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True)
    lines = getattr(done, stream).splitlines()
    return lines[0].strip() if lines else ""


def compiler_of(binary):
    """What compiled a program, as its .comment section says: "gcc 12.2.0" or "clang 19.1.7"."""
    content = Path(binary).read_bytes()
    clang = re.search(rb"clang version (\d[\d.]*)", content)
    gcc = re.search(rb"GCC: \([^)]*\) (\d[\d.]*)", content)
    if clang:
        return f"clang {clang[1].decode()}"
    return f"gcc {gcc[1].decode()}" if gcc else "unknown compiler"


def processor():
    model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    return model[1].strip() if model else platform.machine()


def memory_gib():
    total = re.search(r"^MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.M)
    return round(int(total[1]) / 2**20)


def distribution():
    text = Path("/etc/os-release").read_text()
    name = re.search(r'^PRETTY_NAME="?([^"\n]*)', text, re.M)
    return name[1] if name else platform.system()


def nginx_program():
    """The installed nginx, else the one that `tools/deps bench` unpacks."""
    installed = Path("/usr/sbin/nginx")
    unpacked = Path(__file__).resolve().parents[2] / "build" / "deps" / "usr" / "sbin" / "nginx"
    return installed if installed.exists() else unpacked


def facts(weir_binary):
    """What a reader must know to judge figures from this machine."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": f"{processor()}, {os.cpu_count()} cores, {memory_gib()} GiB",
        "system": f"{distribution()}, Linux {platform.release().split('-')[0]}",
        "weir": f"{first_line([str(weir_binary), 'version'])}, {compiler_of(weir_binary)}",
        "nginx": first_line([nginx_program(), "-v"], "stderr").replace("nginx version: ", ""),
        "haproxy": first_line(["/usr/sbin/haproxy", "-v"]).split(" - ")[0],
    }
