"""What the proxy speaks to the kernel with: io_uring, epoll, and epoll where io_uring is refused, as a container's seccomp
profile does."""

import ctypes
import errno
import os
import struct
import unittest

from lib import client
from lib.case import Case
from lib.proxy import Proxy

_IO_URING_SETUP = 425  # the same on x86-64 and aarch64
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, _PR_SET_NO_NEW_PRIVS = 22, 2, 38
_LIBC = ctypes.CDLL(None, use_errno=True)


def refuse_io_uring():
    """For this process and its children, for ever."""
    # Load the number of the system call; if it is this one, fail with EPERM; else go on.
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in (
        (0x20, 0, 0, 0), (0x15, 0, 1, _IO_URING_SETUP), (0x06, 0, 0, 0x00050000 | errno.EPERM), (0x06, 0, 0, 0x7fff0000)))
    code = ctypes.create_string_buffer(program)
    filters = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    if (_LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            or _LIBC.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filters, 0, 0) != 0):
        os._exit(99)


class IoTest(Case):
    def check_serves(self, ready, *flags, before=None):
        backend = self.start_backend()
        proxy = self.start_proxy(backend, flags=flags, before=before)
        self.assertRegex(proxy.errors(), rf"postern: ready, .* \({ready}")
        for _ in range(3):
            self.assertEqual(client.fetch(proxy.port).status, 200)
        self.assertEqual(len(backend.requests), 3)

    def test_chosen(self):
        self.check_serves("io_uring: ")
        self.check_serves("io_uring: ", "--io=uring")
        self.check_serves(r"epoll\)", "--io=epoll")

    def test_refused_and_left_to_us(self):
        self.check_serves("epoll, because .*io_uring", before=refuse_io_uring)
        self.check_serves(r"epoll\)", "--io=epoll", before=refuse_io_uring)

    def test_refused_and_asked_for(self):
        arguments = self.listener_flags() + ["--backend=127.0.0.1:1", "--io=uring"]
        proxy = Proxy(self.folder, arguments, refuse_io_uring, ready=False)
        self.addCleanup(proxy.kill)
        self.assertEqual(proxy.wait(), 1)
        self.assertRegex(proxy.errors(), r"\Apostern: .*io_uring.*\n\Z")


if __name__ == "__main__":
    unittest.main()
