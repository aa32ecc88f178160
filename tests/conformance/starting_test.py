"""RFC 9113, sections 3 and 9.2: how a connection starts.

Left out, as it cannot be seen from outside, or is the client's part:
 * 3.3 prior knowledge: cleartext is not served.
 * 9.2.1 renegotiation and compression, 9.2.2 cipher suites: Python's client can neither renegotiate nor compress; what
   TLS offers is the subject of the end-to-end tests.
 * 9.1.1 reuse of connections (421): a matter of configuration.
"""

import ssl
import unittest

from wire2 import frames
from wire2.case import ConformanceCase


class AlpnTest(ConformanceCase):
    def test_3_2_h2_is_selected(self):
        self.assertEqual(self.connect_tls(["h2"]).selected_alpn_protocol(), "h2")

    def test_3_2_h2_is_selected_beside_others(self):
        self.assertEqual(self.connect_tls(["h2", "http/1.1"]).selected_alpn_protocol(), "h2")

    def test_3_2_h2c_is_never_selected(self):
        # A server may refuse the handshake or go on without a protocol.
        try:
            selected = self.connect_tls(["h2c"]).selected_alpn_protocol()
        except (ssl.SSLError, ConnectionError):
            return
        self.assertIsNone(selected)

    def test_3_3_http_2_over_tls_takes_alpn(self):
        # Without it the preface is an HTTP/1.1 request that no server can serve.
        context = self.tls_context(["http/1.1"])
        sock = self.connect_tls(context=context)
        self.assertNotEqual(sock.selected_alpn_protocol(), "h2")
        sock.sendall(frames.PREFACE + frames.settings())
        try:
            answer = sock.recv(1 << 16)
        except (ssl.SSLError, ConnectionError):
            return
        self.assertFalse(answer.startswith(frames.settings()[:3]) and answer[3:4] == b"\x04", answer[:100])

    def test_9_2_tls_1_2_and_1_3(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version.name):
                context = self.tls_context(["h2"])
                context.minimum_version = context.maximum_version = version
                self.assertEqual(self.connect_tls(context=context).selected_alpn_protocol(), "h2")

    def test_9_2_nothing_older_than_tls_1_2(self):
        context = self.tls_context(["h2"])
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        try:
            context.set_ciphers("ALL:@SECLEVEL=0")
            selected = self.connect_tls(context=context).selected_alpn_protocol()
        except (ssl.SSLError, ConnectionError):
            return
        self.assertNotEqual(selected, "h2")

    def test_9_2_2_the_mandatory_cipher_suite_or_its_ecdsa_twin(self):
        context = self.tls_context(["h2"])
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256")
        self.assertEqual(self.connect_tls(context=context).selected_alpn_protocol(), "h2")


class PrefaceTest(ConformanceCase):
    def test_3_4_client_preface(self):
        self.connect().expect_served()

    def test_3_4_empty_client_settings(self):
        connection = self.connect_raw()
        connection.unacknowledged.append([])
        connection.send(frames.PREFACE, frames.settings())
        connection.expect_served()
        self.assertEqual(connection.acks, 1)

    def test_3_4_server_settings_come_first_and_are_acknowledged(self):
        # That they come first is checked on every connection.
        connection = self.connect()
        self.assertEqual((connection.settings_frames, connection.acks), (1, 1))

    def test_3_4_requests_right_after_the_preface(self):
        connection = self.connect_raw()
        connection.unacknowledged.append([])
        connection.send(frames.PREFACE, frames.settings())
        for stream in [connection.request() for _ in range(3)]:
            connection.expect_response(stream)
        self.assertEqual(connection.acks, 1)

    def test_3_4_preface_in_single_octets(self):
        connection = self.connect_raw()
        connection.unacknowledged.append([])
        for octet in frames.PREFACE + frames.settings():
            connection.send(bytes([octet]))
        connection.expect_served()

    def test_3_4_frames_in_single_octets(self):
        connection = self.connect()
        stream = connection.new_stream("POST")
        octets = frames.headers(stream, connection.block(method="POST"), False) + frames.data(stream, b"abc", True)
        for octet in octets:
            connection.send(bytes([octet]))
        connection.expect_response(stream)

    def test_3_4_invalid_preface(self):
        broken = [
            b"INVALID CONNECTION PREFACE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + bytes(24),
            b"PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n" + frames.settings(),
            b"PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n" + frames.settings(),
            b"pri * http/2.0\r\n\r\nsm\r\n\r\n" + frames.settings(), bytes(24) + frames.settings(),
            frames.settings() + frames.ping() * 2,
        ]
        for octets in broken:
            with self.subTest(octets[:24]):
                connection = self.connect_raw()
                connection.send_quietly(octets)
                connection.expect_goaway(frames.PROTOCOL_ERROR, may_be_silent=True)

    def test_3_4_preface_must_be_followed_by_settings(self):
        for name, first in {"PING": frames.ping(), "SETTINGS with ACK": frames.settings_ack(),
                            "WINDOW_UPDATE": frames.window_update(0, 1), "an unknown frame": frames.frame(0xf0),
                            "HEADERS": None}.items():
            with self.subTest(name):
                connection = self.connect_raw()
                if first is None:
                    first = frames.headers(connection.new_stream(), connection.block())
                connection.send(frames.PREFACE, first)
                connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_3_4_settings_that_are_broken(self):
        connection = self.connect_raw()
        connection.send(frames.PREFACE, frames.frame(frames.SETTINGS, payload=bytes(5)))
        connection.expect_goaway(frames.FRAME_SIZE_ERROR)


if __name__ == "__main__":
    unittest.main()
