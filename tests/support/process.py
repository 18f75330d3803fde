"""Child processes that do not outlive the tests, even if those are killed."""

import ctypes
import signal

PR_SET_PDEATHSIG = 1  # prctl(2)
LIBC = ctypes.CDLL(None)


def end_with_parent():
    """For Popen's preexec_fn: the child is killed when the thread that started it ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
