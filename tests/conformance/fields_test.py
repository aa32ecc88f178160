"""RFC 9113, sections 8.2 and 8.3: fields and pseudo-header fields, and which of them make a request malformed.

Left out, as it cannot be seen from outside, or is the client's part:
 * 8.2, 8.2.1 and 8.3.2 for senders: checked on every field section of every test.
 * 8.3.1 rules for intermediaries that forward over HTTP/2.
"""

import unittest

from wire2 import frames, hpack_writer
from wire2.case import ConformanceCase, only_strict

PSEUDO = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/")]
PER_CONNECTION = 16  # refusals on one connection: many might be taken for an attack

NOT_IN_NAMES = [*range(0x00, 0x21), *range(0x41, 0x5b), *range(0x7f, 0x100)]


def with_names(*names):
    """Requests with one more field of each of these names."""
    return {f"{name!r}": [*PSEUDO, (name, "1")] for name in names}


def with_values(name, *values):
    """Requests with one more field, of each of these values."""
    return {f"{value!r}": [*PSEUDO, (name, value)] for value in values}


class MalformedCase(ConformanceCase):
    def check_all(self, variants, method="GET"):
        """Each of these field lists makes a malformed request."""
        connection = None
        for index, (name, fields) in enumerate(variants.items()):
            with self.subTest(name):
                if connection is None or index % PER_CONNECTION == 0 or connection.failed:
                    connection = self.connect()
                used, connection = connection, None  # after a failure nobody knows what is left of it
                connection = self.check_malformed(fields, method, used)

    def check_trailers(self, variants):
        """Each of these field lists makes a request with bad trailers."""
        for name, fields in variants.items():
            with self.subTest(name):
                connection = self.connect()
                stream = connection.open_request(path="/bad-trailers")
                connection.send(frames.data(stream, b"abc"), frames.headers(stream, hpack_writer.block(fields)))
                connection.expect_malformed(stream)
                self.assertNotIn("/bad-trailers", self.forwarded())


class ValidityTest(MalformedCase):
    def test_8_2_uppercase_names(self):
        self.check_all(with_names("X-Upper", "x-uppeR", "ACCEPT", "Host", "Content-length"))

    def test_8_2_uppercase_names_in_every_representation(self):
        for write in (hpack_writer.literal, hpack_writer.never_indexed, hpack_writer.with_indexing):
            for is_huffman in (False, True):
                with self.subTest(write.__name__, is_huffman=is_huffman):
                    connection = self.connect()
                    block = connection.block() + write("X-up", "1", is_huffman)
                    connection.expect_malformed(connection.send_block(block))

    def test_8_2_1_octets_that_names_may_not_contain(self):
        self.check_all(with_names(*[b"x-" + bytes([octet]) + b"y" for octet in NOT_IN_NAMES]))

    def test_8_2_1_octets_at_the_ends_of_names(self):
        for octet in (b"\x00", b" ", b"\n", b"A", b"\x7f", b"\xff"):
            self.check_all(with_names(octet + b"x", b"x" + octet, octet))

    def test_8_2_1_colon_in_names(self):
        self.check_all(with_names("x:y", "x:", "x-a: b", "host:"))

    def test_8_2_1_octets_that_values_may_not_contain(self):
        for octet in (b"\x00", b"\n", b"\r"):
            self.check_all(with_values("x-value", octet, octet + b"x", b"x" + octet, b"x" + octet + b"y"))

    def test_8_2_1_white_space_around_values(self):
        self.check_all(with_values("x-value", b" x", b"x ", b"\tx", b"x\t", b" x ", b" ", b"\t", b"x \t"))

    def test_8_2_1_smuggled_lines(self):
        self.check_all(with_values("x-value", b"1\r\nhost: other", b"1\ncontent-length: 5",
                                   b"1\r\n\r\nGET /smuggled HTTP/1.1"))
        self.check_all(with_names(b"x: 1\r\nhost", b"x\r\ny", b"x\ny"))

    def test_8_2_1_in_trailers(self):
        self.check_trailers({f"{fields!r}": fields for fields in (
            [("X-Upper", "1")], [("x y", "1")], [("x:y", "1")], [("x-value", b"a\0b")], [("x-value", b"a\r\nb: c")],
            [("x-value", " a")], [("x-value", "a\t")], [("x-good", "1"), (b"x-\xff", "1")])})

    def test_8_2_1_everything_else_is_valid(self):
        connection = self.connect()
        fields = [("x-!#$%&'*+-.^_`|~09az", "1"), ("x-empty", ""), ("x-inner", "a b\tc"), ("x-obs", b"\x80\xff"),
                  ("x-marks", "\"(),/:;<=>?@[\\]{}")]
        connection.expect_response(connection.request(*fields))
        if self.backend:
            for name, value in fields:
                value = value.decode("latin-1") if isinstance(value, bytes) else value
                self.assertEqual(self.backend.last.get(name), value)

    @only_strict
    def test_8_2_1_should_validate_as_http_defines(self):
        self.check_all(with_names("", "x(y", "x,y", "x/y", "x;y", "x@y", "x[y", "x\"y"))
        self.check_all(with_values("x-value", b"a\x01b", b"a\x1fb", b"a\x7fb", b"\x08"))


class ConnectionFieldsTest(MalformedCase):
    def test_8_2_2_connection_specific_fields(self):
        self.check_all({name: [*PSEUDO, (name, value)] for name, value in {
            "connection": "keep-alive", "proxy-connection": "keep-alive", "keep-alive": "timeout=5",
            "transfer-encoding": "chunked", "upgrade": "h2c"}.items()})

    def test_8_2_2_connection_in_every_form(self):
        self.check_all(with_values("connection", "close", "", "x-mine", "te, close"))

    def test_8_2_2_transfer_encoding_with_a_body(self):
        for value in ("chunked", "identity", ""):
            with self.subTest(value):
                connection = self.connect()
                stream = connection.request(("transfer-encoding", value), method="POST", body=b"0\r\n\r\n")
                connection.expect_malformed(stream)
                self.assertEqual(self.forwarded(), [])

    def test_8_2_2_te(self):
        self.check_all(with_values("te", "gzip", "trailers, deflate", "chunked", "trailers;q=0.5"))

    def test_8_2_2_te_trailers_is_valid(self):
        connection = self.connect()
        connection.expect_response(connection.request(("te", "trailers")))

    def test_8_2_2_in_trailers(self):
        names = ("connection", "transfer-encoding", "keep-alive", "upgrade", "proxy-connection")
        self.check_trailers({name: [(name, "1")] for name in names})


class PseudoFieldsTest(MalformedCase):
    def without(self, *names):
        return [field for field in PSEUDO if field[0] not in names]

    def replaced(self, name, *values):
        """Requests with each of these values for a pseudo-header field."""
        return {f"{value!r}": [(field, value if field == name else old) for field, old in PSEUDO] for value in values}

    def test_8_3_unknown_pseudo_fields(self):
        self.check_all(with_names(":test", ":", "::path", ":version", ":Path", ":host"))

    def test_8_3_response_pseudo_fields(self):
        self.check_all({":status": [*PSEUDO, (":status", "200")], "in front": [(":status", "200"), *PSEUDO]})

    def test_8_3_protocol_without_extended_connect(self):
        # RFC 8441 defines it, but it takes a setting of the server.
        connection = self.connect()
        if connection.server_settings.get(0x8):
            self.skipTest("the server knows extended CONNECT")
        self.check_malformed([*PSEUDO, (":protocol", "websocket")], connection=connection)

    def test_8_3_pseudo_fields_after_regular_fields(self):
        self.check_all({name: [*self.without(name), ("x-regular", "1"), (name, value)] for name, value in PSEUDO})

    def test_8_3_pseudo_fields_in_trailers(self):
        fields = [*PSEUDO, (":status", "200"), (":x", "1")]
        self.check_trailers({name: [("x-regular", "1"), (name, value)] for name, value in fields})
        self.check_trailers({name: [(name, value)] for name, value in fields})

    def test_8_3_repeated_pseudo_fields(self):
        self.check_all({name: [*PSEUDO, (name, value)] for name, value in PSEUDO})
        self.check_all({name + " of two values": [*PSEUDO, (name, value)] for name, value in {
            ":method": "POST", ":scheme": "http", ":authority": "other", ":path": "/other"}.items()})

    def test_8_3_1_mandatory_pseudo_fields(self):
        self.check_all({name: self.without(name) for name in (":method", ":scheme", ":path")})
        self.check_all({"none": [("x-regular", "1")], "nothing": []})

    def test_8_3_1_pseudo_fields_in_any_order(self):
        connection = self.connect()
        for fields in (PSEUDO[::-1], PSEUDO[2:] + PSEUDO[:2]):
            connection.expect_response(connection.send_fields(fields))

    def test_8_3_1_path_is_not_empty(self):
        self.check_all(self.replaced(":path", ""))

    def test_8_3_1_path_starts_with_a_slash(self):
        self.check_all(self.replaced(":path", "index.html", "?a=b", "*", "http://localhost/"))

    def test_8_3_1_path_without_white_space_and_controls(self):
        self.check_all(self.replaced(":path", "/a b", "/ HTTP/1.1", "/\r\nx: y", "/\0", "/\t", " /", "/ ", "/\x7f"))

    def test_8_3_1_method_is_a_token(self):
        self.check_all(self.replaced(":method", "", "GET /", "GE T", "GET\r\n", "G\0T", " GET", "GET ", "G(T"))

    def test_8_3_1_scheme_is_a_scheme(self):
        self.check_all(self.replaced(":scheme", "", "ht tp", "https\r\n", "https ", "1\0"))

    def test_8_3_1_authority_without_white_space_and_controls(self):
        self.check_all(self.replaced(":authority", "local host", "localhost\r\nx: y", "localhost\0", " localhost",
                                     "localhost\t"))

    def test_8_3_1_userinfo_is_not_forwarded(self):
        connection = self.connect()
        fields, = self.replaced(":authority", "user:secret@localhost").values()
        connection.expect_outcome(connection.send_fields(fields))
        if self.backend and self.backend.requests:
            self.assertNotIn("@", self.backend.last.get("host"))

    def test_8_3_1_asterisk_is_for_options(self):
        connection = self.connect()
        connection.expect_response(connection.request(method="OPTIONS", path="*"), None)
        connection.expect_connection_open()
        if self.backend:
            self.assertIn(self.forwarded(), ([], ["*"]))

    def test_8_3_1_host_instead_of_authority(self):
        connection = self.connect()
        connection.expect_response(connection.send_fields([*self.without(":authority"), ("host", "localhost")]))
        if self.backend:
            self.assertEqual(self.backend.last.all("host"), ["localhost"])

    def test_8_3_1_host_that_is_the_same(self):
        connection = self.connect()
        connection.expect_response(connection.send_fields([*PSEUDO, ("host", "localhost")]))
        if self.backend:
            self.assertEqual(self.backend.last.all("host"), ["localhost"])

    def test_8_3_1_authority_goes_before_a_host_that_differs(self):
        # It SHOULD be malformed; what MUST NOT be is that the server behind sees this Host.
        connection = self.connect()
        stream = connection.send_fields([*PSEUDO, ("host", "other.example.test")])
        if connection.expect_outcome(stream).status == 200:
            if self.backend:
                self.assertEqual(self.backend.last.all("host"), ["localhost"])
        else:
            connection.expect_malformed(stream)

    @only_strict
    def test_8_3_1_host_should_not_differ(self):
        self.check_all({"other": [*PSEUDO, ("host", "other.example.test")]})


class ForwardedTest(ConformanceCase):
    """What the server behind the proxy is told in HTTP/1.1."""

    def setUp(self):
        super().setUp()
        self.need_backend()

    def forward(self, *fields, **arguments):
        connection = self.connect()
        connection.expect_response(connection.request(*fields, **arguments))
        return self.backend.last

    def test_8_2_3_cookies_are_joined(self):
        request = self.forward(("cookie", "a=b"), ("x-between", "1"), ("cookie", "c=d"), ("cookie", "e=f; g=h"))
        self.assertEqual(request.all("cookie"), ["a=b; c=d; e=f; g=h"])

    def test_8_2_3_one_cookie_stays(self):
        self.assertEqual(self.forward(("cookie", "a=b; c=d")).all("cookie"), ["a=b; c=d"])

    def test_8_3_1_path_and_method_as_they_are(self):
        for method, path in (("GET", "/a/b?c=%20&d=?/"), ("PROPFIND", "/a;x=y/b"), ("PUT", "/x?y")):
            with self.subTest(method + path):
                request = self.forward(method=method, path=path)
                self.assertEqual((request.method, request.target), (method, path))

    def test_8_3_1_host_is_the_authority(self):
        connection = self.connect()
        for authority in ("localhost:8443", "localhost", "127.0.0.1"):
            connection.authority = authority
            connection.expect_response(connection.request())
            self.assertEqual(self.backend.last.all("host"), [authority])

    def test_8_3_pseudo_fields_stay_behind(self):
        request = self.forward(("x-kept", "1"))
        self.assertEqual([name for name, _ in request.fields if name.startswith(":")], [])
        self.assertTrue(request.start.endswith(" HTTP/1.1"))

    def test_8_2_fields_keep_their_order(self):
        fields = [("x-a", "1"), ("x-b", "2"), ("x-a", "3"), ("x-a", "1"), ("x-b", "")]
        seen = [(name.lower(), value) for name, value in self.forward(*fields).fields]
        self.assertEqual([field for field in seen if field[0] in ("x-a", "x-b")], fields)


if __name__ == "__main__":
    unittest.main()
