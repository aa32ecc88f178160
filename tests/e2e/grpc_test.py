"""gRPC through the gate: grpcio on both sides, all four kinds of call."""

import concurrent.futures
import threading
import time
import unittest

from lib import files
from lib.case import Case

try:
    import grpc
except ImportError:
    grpc = None

PATIENCE_S = files.PATIENCE_S


class Service:
    """Methods on bytes. What a test wants to know of the server's side is noted."""

    def __init__(self):
        self.cancelled = threading.Event()
        self.metadata = []
        self.remaining = []

    def unary(self, request, context):
        self.metadata = list(context.invocation_metadata())
        self.remaining.append(context.time_remaining())
        context.send_initial_metadata((("x-initial", "one"),))
        context.set_trailing_metadata((("x-trailing", "two"), ("x-binary-bin", b"\x00\xff")))
        if request == b"fail":
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not so: ä%")
        if request.startswith(b"sleep"):
            context.add_callback(self.cancelled.set)
            self.cancelled.wait(PATIENCE_S)
        return b"<" + request + b">"

    def server_stream(self, request, context):
        context.add_callback(self.cancelled.set)
        for number in range(int(request)):
            yield str(number).encode()
        if request == b"3":
            self.cancelled.wait(PATIENCE_S)

    def client_stream(self, requests, _):
        return str(sum(len(request) for request in requests)).encode()

    def both(self, requests, _):
        for request in requests:
            yield request[::-1]

    def watch(self, requests, _):
        next(requests)
        for number in range(8):
            time.sleep(0.3)
            yield str(number).encode()

    def handler(self):
        return grpc.method_handlers_generic_handler("test.Echo", {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "ServerStream": grpc.unary_stream_rpc_method_handler(self.server_stream),
            "ClientStream": grpc.stream_unary_rpc_method_handler(self.client_stream),
            "Watch": grpc.stream_stream_rpc_method_handler(self.watch),
            "Both": grpc.stream_stream_rpc_method_handler(self.both),
        })


@unittest.skipIf(grpc is None, "grpcio is not installed")
class GrpcTest(Case):
    TLS = False

    def setUp(self):
        super().setUp()
        self.service = Service()
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(16))
        self.server.add_generic_rpc_handlers((self.service.handler(),))
        flags = ["--upstream_protocol=grpc"]
        if self.TLS:
            port = self.server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(
                [(self.read(self.pki.key("server")), self.read(self.pki.chain("server")))],
                root_certificates=self.read(self.pki.certificate("root")), require_client_auth=True))
            flags += ["--upstream_tls", f"--upstream_ca={self.pki.certificate('root')}",
                      f"--upstream_cert={self.pki.chain('client')}", f"--upstream_key={self.pki.key('client')}",
                      "--upstream_server_name=localhost"]
        else:
            port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        self.addCleanup(lambda: self.server.stop(None).wait(PATIENCE_S))
        self.arguments_of_proxy = (f"--backend=grpc@127.0.0.1:{port}", flags)
        self.proxy = self.start_proxy(self.arguments_of_proxy[0], flags=flags)
        self.channel = self.open_channel()

    @staticmethod
    def read(path):
        with open(path, "rb") as file:
            return file.read()

    def open_channel(self, certificate="client"):
        credentials = grpc.ssl_channel_credentials(
            self.read(self.pki.certificate("root")),
            *((self.read(self.pki.key(certificate)), self.read(self.pki.chain(certificate))) if certificate else ()))
        channel = grpc.secure_channel(f"127.0.0.1:{self.proxy.port}", credentials,
                                      (("grpc.ssl_target_name_override", "localhost"), ("grpc.default_authority", "localhost"),
                                       ("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)))
        self.addCleanup(channel.close)
        return channel

    def call(self, kind, method, channel=None):
        return getattr(channel or self.channel, kind)(f"/test.Echo/{method}")

    def test_unary(self):
        result, call = self.call("unary_unary", "Unary").with_call(
            b"hello", timeout=PATIENCE_S, metadata=(("x-mine", "1"), ("x-mine-bin", b"\x01\x02")))
        self.assertEqual(result, b"<hello>")
        self.assertIn(("x-initial", "one"), call.initial_metadata())
        self.assertIn(("x-trailing", "two"), call.trailing_metadata())
        self.assertIn(("x-binary-bin", b"\x00\xff"), call.trailing_metadata())
        metadata = dict(self.service.metadata)
        self.assertEqual((metadata["x-mine"], metadata["x-mine-bin"]), ("1", b"\x01\x02"))
        # Who calls is told in gRPC as in everything else.
        self.assertEqual(metadata["x-forwarded-clientcert-subjectdn"], self.pki.subject("client"))
        self.assertEqual(metadata["x-forwarded-proto"], "https")

    def test_errors_are_the_servers_own(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.call("unary_unary", "Unary")(b"fail", timeout=PATIENCE_S)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertEqual(caught.exception.details(), "not so: ä%")
        with self.assertRaises(grpc.RpcError) as caught:
            self.call("unary_unary", "None")(b"", timeout=PATIENCE_S)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_streams(self):
        large = [bytes([number]) * 300_000 for number in range(8)]
        self.assertEqual(list(self.call("unary_stream", "ServerStream")(b"1000", timeout=PATIENCE_S)),
                         [str(number).encode() for number in range(1000)])
        self.assertEqual(self.call("stream_unary", "ClientStream")(iter(large), timeout=PATIENCE_S), b"2400000")
        self.assertEqual(list(self.call("stream_stream", "Both")(iter(large), timeout=PATIENCE_S)), large)

    def test_turns_are_taken_while_the_stream_lives(self):
        # Each answer comes before the next question is asked: nothing is held back for company.
        questions = [b"ab", b"cd", b"ef"]
        answered = threading.Semaphore(1)

        def ask():
            for question in questions:
                self.assertTrue(answered.acquire(timeout=PATIENCE_S))
                yield question

        answers = []
        for answer in self.call("stream_stream", "Both")(ask(), timeout=PATIENCE_S):
            answers.append(answer)
            answered.release()
        self.assertEqual(answers, [b"ba", b"dc", b"fe"])

    def test_a_client_may_be_silent_while_the_server_speaks(self):
        backend, flags = self.arguments_of_proxy
        self.proxy = self.start_proxy(backend, flags=[*flags, "--body_timeout=1s", "--stall_timeout=1s"])
        over = threading.Event()
        self.addCleanup(over.set)

        def ask():
            yield b"watch"
            over.wait(PATIENCE_S)
        answers = self.call("stream_stream", "Watch", self.open_channel())(ask(), timeout=PATIENCE_S)
        self.assertEqual([next(answers) for _ in range(8)], [str(number).encode() for number in range(8)])

    def test_deadline(self):
        begin = time.monotonic()
        with self.assertRaises(grpc.RpcError) as caught:
            self.call("unary_unary", "Unary")(b"sleep", timeout=1)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertLess(time.monotonic() - begin, PATIENCE_S)
        # The server knew of the deadline, and that its caller is gone.
        self.assertLessEqual(self.service.remaining[0], 1)
        self.assertTrue(self.service.cancelled.wait(PATIENCE_S))

    def test_cancellation(self):
        call = self.call("unary_stream", "ServerStream")(b"3", timeout=PATIENCE_S)
        self.assertEqual(next(call), b"0")
        call.cancel()
        self.assertTrue(self.service.cancelled.wait(PATIENCE_S))

    def test_many_calls_share_one_connection(self):
        channels = [self.open_channel() for _ in range(4)]
        futures = [self.call("unary_unary", "Unary", channels[number % 4]).future(str(number).encode(),
                                                                              timeout=PATIENCE_S)
                   for number in range(200)]
        self.assertEqual([future.result() for future in futures], [f"<{number}>".encode() for number in range(200)])
        # One connection a shard, perhaps another while the first was being made.
        open_now = len(self.server_connections())
        self.assertLessEqual(open_now, 4)

    def server_connections(self):
        port = self.proxy_backend_port()
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table.readlines()[1:]]
        return [row for row in rows if row[2] == f"0100007F:{port:04X}" and row[3] == "01"]

    def proxy_backend_port(self):
        with open(f"/proc/{self.proxy.pid}/cmdline", "rb") as file:
            arguments = file.read().decode().split("\0")
        return next(int(argument.rpartition(":")[2]) for argument in arguments if argument.startswith("--backend="))

    def test_strangers_are_refused(self):
        for certificate in (None, "client_other"):
            with self.assertRaises(grpc.RpcError) as caught:
                self.call("unary_unary", "Unary", self.open_channel(certificate))(b"", timeout=PATIENCE_S)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)

    def test_a_server_that_is_gone(self):
        self.server.stop(None).wait(PATIENCE_S)
        with self.assertRaises(grpc.RpcError) as caught:
            self.call("unary_unary", "Unary")(b"x", timeout=PATIENCE_S)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(caught.exception.details(), "Bad Gateway")


class GrpcTlsTest(GrpcTest):
    TLS = True


if __name__ == "__main__":
    unittest.main()
