"""Lets a running weir's calls to its disk fail at random: failing_calls.c, built and steered."""

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("failing_calls.c")
# In the order of the C file.
CALLS = ("posix_fallocate", "msync", "open", "openat", "pwrite", "fsync", "fdatasync", "madvise",
         "renameat")
SEND = "send"  # does not fail, but returns late
PLACES = 16


class FailingCalls:
    def __init__(self, folder, data_dir):
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            pytest.skip("no C compiler")
        library = folder / "failing_calls.so"
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"],
                       check=True)
        path = folder / "failing_calls"
        path.write_bytes(bytes(4096))
        with open(path, "r+b") as file:
            self.control = mmap.mmap(file.fileno(), 4096)
        self.environment = {"LD_PRELOAD": str(library), "WEIR_FAULT_CALLS": str(path),
                            "WEIR_FAULT_FOLDER": str(data_dir)}

    def let(self, *calls, fail_per_mille):
        """From now on these calls fail so often, and no others."""
        for place, call in enumerate((*CALLS, SEND)):
            struct.pack_into("=I", self.control, 4 * place,
                             fail_per_mille if call in calls else 0)

    def stop(self):
        self.let(fail_per_mille=0)

    def counts(self):
        """How many calls have failed so far."""
        return {call: struct.unpack_from("=I", self.control, 4 * (PLACES + place))[0]
                for place, call in enumerate(CALLS)}
