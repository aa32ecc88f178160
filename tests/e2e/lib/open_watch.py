"""Waits until somebody opens a file (inotify)."""

import ctypes
import os
import select

from lib import files

_IN_OPEN = 0x20
_LIBC = ctypes.CDLL(None, use_errno=True)


class OpenWatch:
    """Begins to watch at once."""

    def __init__(self, path):
        self.descriptor = _LIBC.inotify_init1(os.O_CLOEXEC)
        assert self.descriptor >= 0, os.strerror(ctypes.get_errno())
        assert _LIBC.inotify_add_watch(self.descriptor, os.fsencode(path), _IN_OPEN) >= 0, path

    def wait(self):
        """Until it has been opened since."""
        assert select.select([self.descriptor], [], [], files.PATIENCE_S)[0], "nobody has opened it"

    def close(self):
        os.close(self.descriptor)
