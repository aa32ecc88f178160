"""What only a proxy may say: names, the way of a request, the host that is asked for."""

import unittest

from lib import client, files
from lib.backend import response
from lib.case import Case
from lib.proxy import run_to_end

# Each has been believed by some server because only a proxy could have written it.
SPOKEN_BY_PROXIES = [
    "Forwarded", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-User", "X-Forwarded-Ssl-Client-Cert", "X-Client-DN",
    "X-Client-S-DN", "X-SPIFFE-ID", "X-Original-URL", "Remote-User", "True-Client-IP", "Proxy", "X-Forwarded-Prefix",
    "X-Remote-Group", "CF-Connecting-IP", "X-Rewrite-URL", "X-Auth-Request-User",
]
# What others take for a field that frames a message.
FRAMING = ["Transfer_Encoding", "Content_Length", "Host_", "Transfer.Encoding", "content-length_", "Connection_"]


class ConfigCase(Case):
    def listener(self, name, rest, auth=True):
        trust = f'client_auth {{ mode: "require" ca_files: "{self.pki.certificate("root")}" }}' if auth else ""
        return (f'listeners {{ name: "{name}" address: "127.0.0.1:0" {trust} certificates {{ '
                f'certificate_file: "{self.pki.chain("server")}" key_file: "{self.pki.key("server")}" }} {rest} }}\n')

    def group(self, backend, name="g"):
        return (f'server_groups {{ name: "{name}" servers {{ name: "s" host: "127.0.0.1" port: {backend.port} }} '
                "health_check { enabled: false } }\n")


class OtherListenersTest(ConfigCase):
    def setUp(self):
        super().setUp()
        self.backend = self.start_backend()

    def said(self, port, name):
        """The values of this name, or a spelling of it, that arrive when a client sends it in head and trailers."""
        with client.connect(port) as stream:
            stream.send(f"POST / HTTP/1.1\r\nHost: localhost\r\n{name}: forged\r\nTransfer-Encoding: chunked\r\n\r\n"
                        f"1\r\nx\r\n0\r\n{name}: forged\r\n\r\n")
            stream.read_response("POST")
        return [value for _, value in self.backend.last.fields + self.backend.last.trailers if value == "forged"]

    def test_renamed_identity_headers_of_another_listener(self):
        proxy = self.start_config(self.group(self.backend)
                                  + self.listener("business", 'default_server_group: "g"')
                                  + self.listener("devices", 'identity_headers { subject_dn: "X-Device" } '
                                                             'default_server_group: "g"'))
        for port in proxy.ports:
            for name in ("X-Device", "X_Device", "x-DEVICE", "X.Device"):
                with self.subTest(port=port, name=name):
                    self.assertEqual(self.said(port, name), [])
        self.assertEqual(self.said(proxy.port, "X-Devices"), ["forged", "forged"])

    def test_names_of_the_configuration_before(self):
        before = self.listener("devices", 'identity_headers { subject_dn: "X-Device" } default_server_group: "g"')
        after = self.listener("devices", 'identity_headers { subject_dn: "X-Thing" } default_server_group: "g"')
        proxy = self.start_config(self.group(self.backend) + before)
        (self.folder / "postern.textproto").write_text(self.group(self.backend) + after, "utf-8")
        files.wait_until(lambda: "generation 2 is served" in proxy.errors(), "generation 2")
        for name in ("X-Device", "x_device", "X-Thing"):
            self.assertEqual(self.said(proxy.port, name), [], name)

    def test_names_that_speak_for_a_proxy(self):
        proxy = self.start_proxy(self.backend, flags=["--remove_request_headers=X-Tenant,X-Own-*"])
        for name in SPOKEN_BY_PROXIES + ["X-Tenant", "X-Own-Thing"]:
            for spelling in (name, name.replace("-", "_"), name.upper()):
                with self.subTest(spelling):
                    with client.connect(proxy.port) as stream:
                        client.get(stream, fields=f"{spelling}: forged\r\nX-App: 1\r\n")
                    self.assertEqual([name for name, value in self.backend.last.fields if value == "forged"], [])
                    self.assertEqual(self.backend.last.get("X-App"), "1")

    def test_framing_in_a_second_spelling(self):
        proxy = self.start_proxy(self.backend)
        for name in FRAMING:
            with self.subTest(name), client.connect(proxy.port) as stream:
                client.get(stream, fields=f"{name}: chunked\r\n")
                self.assertEqual([value for _, value in self.backend.last.fields if value == "chunked"], [])

    def test_a_trusted_proxy_speaks_for_the_way_only(self):
        proxy = self.start_proxy(self.backend, flags=[
            "--trusted_proxies=127.0.0.0/8", "--forwarding_headers=x_real_ip,x_forwarded_host,forwarded"])
        with client.connect(proxy.port) as stream:
            client.get(stream, fields="X-Real-IP: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\nX-Forwarded-User: root\r\n"
                                      "X-Forwarded-Proto: http\r\n")
        last = self.backend.last
        self.assertEqual(last.get("X-Real-IP"), "192.0.2.1")
        self.assertEqual(last.get("X-Forwarded-Host"), "localhost")
        self.assertEqual(last.get("Forwarded"), "for=192.0.2.1, for=127.0.0.1;host=localhost;proto=https")
        self.assertEqual((last.get("X-Forwarded-Proto"), last.get("X-Forwarded-For")), ("http", None))
        self.assertIsNone(last.get("X-Forwarded-User"))


class LoopTest(Case):
    def upstream_of(self, proxy):
        return [f"--backend=next@127.0.0.1:{proxy.port}", "--upstream_tls",
                f"--upstream_ca={self.pki.certificate('root')}", "--upstream_server_name=localhost"]

    def test_three_gates_in_a_row_are_no_loop(self):
        backend = self.start_backend()
        last = self.start_proxy(backend, client_auth="off")
        middle = self.start_proxy(client_auth="off", flags=self.upstream_of(last))
        first = self.start_proxy(client_auth="off", flags=[*self.upstream_of(middle), "--via_name=edge"])
        self.assertEqual(client.fetch(first.port).status, 200)
        self.assertRegex(backend.last.get("Via"), "^1.1 edge-[0-9a-f]{16}, 1.1 postern-[0-9a-f]{16}, "
                                                  "1.1 postern-[0-9a-f]{16}$")

    def test_a_request_that_comes_back_is_a_loop(self):
        # The way back: whatever arrives here is sent to the gate again.
        port = []

        def again(request):
            with client.connect(port[0]) as stream:
                answer = client.get(stream, fields=f"Via: {request.get('Via')}\r\n")
            return response(answer.body, f"{answer.status} Answer")

        backend = self.start_backend(again)
        proxy = self.start_proxy(backend)
        port.append(proxy.port)
        self.assertEqual(client.fetch(proxy.port).status, 508)
        self.assertEqual(len(backend.requests), 1)
        # Responses do not tell clients which token would look like one.
        self.assertEqual(client.fetch(proxy.port).get("Via"), "1.1 postern")


class HostNamesTest(ConfigCase):
    def test_a_second_spelling_reaches_nobody(self):
        guarded, default = self.start_backend(name="guarded"), self.start_backend(name="default")
        proxy = self.start_config(
            self.group(guarded, "guarded") + self.group(default, "default")
            + self.listener("all", 'hosts { host: "a.example.test" server_group: "guarded" } default_server_group: "default"'))
        for host in ("a.example.test", "A.EXAMPLE.test", "a.example.test.", "a.example.test:443"):
            self.assertEqual(client.fetch(proxy.port, host=host).body, b"guarded", host)
        for host in ("a.example.test..", ".a.example.test", "%61.example.test", "a..example.test", "a.example.test%2e",
                     "127.1", "a.example.test,b"):
            with self.subTest(host):
                self.assertEqual(client.fetch(proxy.port, host=host).status, 400)
        self.assertEqual(default.requests, [])


class StrictSniTest(ConfigCase):
    def test_unknown_and_absent_names_are_refused(self):
        backend = self.start_backend()
        proxy = self.start_config(
            self.group(backend) + self.listener(
                "strict", 'strict_sni: true hosts { host: "*.served.test" server_group: "g" } default_server_group: "g"'))
        tls = client.context()
        tls.check_hostname = False
        for name in ("localhost", "a.served.test", "LOCALHOST"):  # the certificate's, and a rule's
            with client.connect(proxy.port, tls, name) as stream:
                self.assertEqual(client.get(stream).status, 200)
        for name in ("other.test", "b.a.served.test", None):
            self.assertIsNotNone(client.refusal(proxy.port, tls, name), name)
        self.assertTrue(all("reason=unknown_server_name" in line for line in proxy.await_refusals(3)))


class PassthroughTest(ConfigCase):
    def test_what_nobody_has_verified_must_not_look_verified(self):
        backend = self.start_backend()
        host = 'tls_hosts { server_name: "p.test" client_auth { mode: "passthrough" } } default_server_group: "g" '
        for dialects in ('client_cert_headers: "xfcc"', 'client_cert_headers: ["alb", "rfc9440"]',
                         'identity_headers { client_verify: "" }'):
            with self.subTest(dialects):
                path = self.folder / "refused.textproto"
                path.write_text(self.group(backend) + self.listener("all", host + dialects), "utf-8")
                code, lines = run_to_end(self.folder, [f"--config={path}", "--check_config"])
                self.assertEqual(code, 2)
                self.assertIn("passthrough", lines[0])
        self.start_config(self.group(backend) + self.listener("all", host + 'client_cert_headers: ["alb", "aws"]'))


if __name__ == "__main__":
    unittest.main()
