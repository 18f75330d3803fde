"""A small ext4 of its own, on a loop device, for a data folder that is to suffer."""

import contextlib
import os
import shutil
import subprocess

import pytest


class Disk:
    """Made and mounted on entry; gone, thawed first if need be, on exit."""

    def __init__(self, folder, megabytes=96):
        self.image = folder / "disk.img"
        self.mount_point = folder / "disk"
        self.megabytes = megabytes
        self.is_mounted = self.is_frozen = False

    @property
    def data_dir(self):
        return self.mount_point / "data"

    def __enter__(self):
        if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
            pytest.skip("mounting a disk of one's own takes root and mkfs.ext4")
        with open(self.image, "wb") as image:
            image.truncate(self.megabytes << 20)
        # No lazy initialisation: a thread of the kernel would write at moments of its own.
        run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0",
            self.image)
        self.mount_point.mkdir()
        try:
            self.mount()
        except subprocess.CalledProcessError as failure:
            pytest.skip(f"no loop device: {failure.stderr}")
        return self

    def __exit__(self, *_):
        self.thaw()
        self.unmount()

    def mount(self, options="loop"):
        run("mount", "-o", options, self.image, self.mount_point)
        self.is_mounted = True

    def unmount(self):
        if self.is_mounted:
            run("umount", self.mount_point)
        self.is_mounted = False

    def fill(self):
        """Leaves no block free; returns the file to remove."""
        filler = self.mount_point / "filler"
        with open(filler, "wb") as out:
            for size in (1 << 20, 1 << 12):
                with contextlib.suppress(OSError):
                    while True:
                        os.write(out.fileno(), bytes(size))
        return filler

    def freeze(self):
        run("fsfreeze", "--freeze", self.mount_point)
        self.is_frozen = True

    def thaw(self):
        if self.is_frozen:
            run("fsfreeze", "--unfreeze", self.mount_point)
        self.is_frozen = False

    def fail(self):
        """What the kernel does after an error of the device: no more writes are taken."""
        run("mount", "-o", "remount,abort", self.mount_point)

    def repair(self):
        """Unmounts, checks and mounts again, as an administrator would."""
        self.unmount()
        done = subprocess.run(["e2fsck", "-f", "-y", self.image], capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        self.mount()


def run(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
