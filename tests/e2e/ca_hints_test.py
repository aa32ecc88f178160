"""What tools/ca says one could paste, pasted."""

import re
import shlex
import subprocess
import unittest

from lib import files
from lib.case import Case, process_flags
from lib.proxy import run_to_end


class HintsTest(Case):
    def setUp(self):
        super().setUp()
        self.home = self.folder / "my pki"  # with a blank, to be quoted
        self.home.mkdir()
        self.said = {}
        for name, command, *flags in (("root", "root", "--cn=Root"), ("sub", "subca", "--ca=root", "--cn=Sub"),
                                      ("gate", "server", "--ca=sub", "--dns=gate.example.test"),
                                      ("device", "client", "--ca=sub", "--cn=device 7"), ("list", "crl", "--ca=sub")):
            out = "list.crl" if command == "crl" else name
            self.said[name] = subprocess.run([files.authority(), command, f"--out={out}", *flags], cwd=self.home, check=True,
                                             capture_output=True, text=True, timeout=files.PATIENCE_S).stdout

    def hint(self, name, label):
        return re.search(rf"(?m)^{label}: +(.*)$", self.said[name]).group(1)

    def curl(self, port, *names):
        """The server's command with what the others add: the status that curl saw, and its exit code."""
        command = " ".join([self.hint("gate", "to try it"), *(self.hint(name, "added to curl") for name in names)])
        words = [word.replace("8443", str(port)) for word in shlex.split(command)]
        result = subprocess.run([*words, "--silent", "--write-out", " %{http_code}"], capture_output=True, text=True,
                                timeout=files.PATIENCE_S, check=False)
        return result.stdout.rpartition(" ")[2], result.returncode

    def test_flags(self):
        backend = self.start_backend()
        flags = [word for name in ("gate", "device", "list") for word in shlex.split(self.hint(name, "flags of postern"))]
        flags.append("--listen=127.0.0.1:0")  # the last one counts
        proxy = self.run_proxy([*flags, backend.flag, *process_flags()])
        self.assertEqual(self.curl(proxy.port, "device"), ("200", 0))
        self.assertNotEqual(self.curl(proxy.port)[1], 0, "without a certificate")

    def test_lines_of_a_file(self):
        for authority in ("root", "sub", "device"):
            auth = self.hint(authority, "or in its file")
            self.assertTrue(auth.endswith(" }"))
            path = self.folder / "postern.textproto"
            path.write_text(f"""listeners {{
  name: "a"
  address: "127.0.0.1:0"
  {self.hint("gate", "or in its file")}
  {auth[:-1]} {self.hint("list", "or in its file")} {self.intermediates(authority)} }}
  default_server_group: "g"
}}
server_groups {{ name: "g" servers {{ name: "s" host: "127.0.0.1" port: 1 }} }}
""", "utf-8")
            code, lines = run_to_end(self.folder, [f"--config={path}", "--check_config"])
            self.assertEqual((code, lines[-1]), (0, "postern: the configuration is good"))
            # The one list is not of every CA here, which is said.
            for line in lines[:-1]:
                self.assertRegex(line, "^postern: warning: .* has no revocation list")

    def intermediates(self, authority):
        """The list's issuer has to be known: it is not below the root by itself."""
        return f'intermediate_files: "{self.home}/sub.crt"' if authority == "root" else ""


if __name__ == "__main__":
    unittest.main()
