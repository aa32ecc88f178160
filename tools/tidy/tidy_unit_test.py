#!/usr/bin/env python3
"""Each rule of tidy.py against code that breaks it, and against code that does not."""

import os
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
if "TEST_SRCDIR" in os.environ:
    HERE = pathlib.Path(os.environ["TEST_SRCDIR"]) / os.environ["TEST_WORKSPACE"] / "tools" / "tidy"
else:
    HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import documents  # pylint: disable=wrong-import-position
import source  # pylint: disable=wrong-import-position
import tidy  # pylint: disable=wrong-import-position

LEFTOVER = "TO" + "DO"

# (rule, path, text): the text at this path has to be caught by this rule, and by no other.
BAD = [
    ("layering", "src/base/a.cc", '#include "src/io/driver.h"\n'),
    ("layering", "src/io/driver.cc", '#include "src/io/uring/ring.h"\n'),
    ("layering", "src/io/a.cc", '#include "src/tls/engine.h"\n'),
    ("layering", "src/http/a.cc", '#include "src/io/driver.h"\n'),
    ("layering", "src/http/a.cc", '#include "src/tls/engine.h"\n'),
    ("layering", "src/tls/a.cc", '#include "src/io/driver.h"\n'),
    ("layering", "src/proxy/a.cc", '#include "src/io/uring/ring.h"\n'),
    ("layering", "src/upstream/a.cc", '  #  include "src/proxy/session.h"\n'),
    ("layering", "src/admin/a.cc", '#include "src/main.cc"\n'),
    ("layering", "src/nowhere/a.cc", '#include "src/base/check.h"\n'),
    ("layering", "src/proxy/a.cc", "#include <liburing.h>\n"),
    ("layering", "tests/sim/a.cc", "#include <liburing.h>\n"),
    ("layering", "src/shard/a.cc", "#include <linux/io_uring.h>\n"),
    ("layering", "src/proxy/a.cc", "#include <openssl/ssl.h>\n"),
    ("layering", "src/identity/a_test.cc", "#include <openssl/x509.h>\n"),
    ("layering", "tools/other/a.cc", '#include "openssl/ssl.h"\n'),
    ("layering", "src/tls/a.cc", "#include <nghttp2/nghttp2.h>\n"),
    ("layering", "src/base/a.cc", '#include "a.h"\n'),
    ("layering", "src/base/a.cc", '#include "tests/sim/network.h"\n'),
    ("size", "src/base/a.cc", "int a;\n" * 401),
    ("size", "bench/a.cc", "int a;\n" * 401),
    ("size", "src/base/a.cc", "void Long() {\n" + "  a();\n" * 69 + "}\n"),
    ("size", "src/base/a.cc", "class A {\n  void Long() const {\n" + "    a();\n" * 69 + "  }\n};\n"),
    ("size", "src/base/a.cc", "A::A(int a)\n    : a_(a), b_{a} {\n" + "  a();\n" * 69 + "}\n"),
    ("leftover", "src/base/a.cc", f"// {LEFTOVER}: later\n"),
    ("leftover", "tools/thing", "# " + "FIX" + "ME\n"),
    ("columns", "src/base/a.cc", "// " + "x" * 98 + "\n"),
    ("guard", "src/base/a.h", "#pragma once\n"),
    ("guard", "src/base/a.h", "#ifndef SRC_A_H\n#define SRC_A_H\n#endif\n"),
    ("braces", "src/base/a.cc", "void F() {\n  if (a(b)) return;\n}\n"),
    ("braces", "src/base/a.cc", "void F() {\n  while (a)\n    b();\n}\n"),
    ("braces", "src/base/a.cc", "void F() {\n  if (a) {\n  } else\n    b();\n}\n"),
    ("banned", "src/shard/a.cc", "std::mutex mutex_;\n"),
    ("banned", "src/io/a.h", "#ifndef POSTERN_SRC_IO_A_H_\n#define POSTERN_SRC_IO_A_H_\nstd::shared_mutex m_;\n#endif\n"),
    ("banned", "src/proxy/a.cc", "auto now = std::chrono::steady_clock::now();\n"),
    ("banned", "src/tls/a.cc", "auto now = time(nullptr);\n"),
    ("banned", "src/control/reload.cc", "clock_gettime(CLOCK_REALTIME, &now);\n"),
    ("banned", "src/upstream/a.cc", "int a = rand();\n"),
    ("banned", "src/shard/a.cc", "usleep(1);\n"),
    ("banned", "src/tls/a.cc", "std::thread a;\n"),
    ("banned", "src/proxy/a.cc", "thread_local int a;\n"),
    ("banned", "src/base/a.cc", "int g_count = 0;\n"),
    ("banned", "src/base/a.cc", "void F() { assert(true); }\n"),
    ("banned", "src/config/a.cc", "int a = atoi(text);\n"),
    ("boringssl", "src/base/BUILD.bazel", 'deps = ["@boringssl//:ssl"],\n'),
    ("boringssl", "src/base/BUILD.bazel", 'deps = ["@boringssl_deterministic//:crypto"],\n'),
]

GOOD = [
    ("src/main.cc", '#include "src/control/start.h"\n#include "src/io/uring/ring.h"\n'),
    ("src/shard/a.cc", '#include "src/io/uring/ring.h"\n#include "src/base/check.h"\n'),
    ("src/http/a.cc", '#include <nghttp2/nghttp2.h>\n#include "absl/types/span.h"\n#include "src/base/check.h"\n'),
    ("src/tls/a.cc", '#include <openssl/ssl.h>\n#include "src/config/config.h"\n'),
    ("src/io/uring/a.cc", '#include <liburing.h>\n#include "src/io/driver.h"\nint a = clock_gettime(b, &c);\n'),
    ("src/proxy/a_test.cc", '#include "tests/sim/network.h"\nstd::mutex mutex;\n'),
    ("src/control/real_host.cc", "auto now = std::chrono::system_clock::now();\n"),
    ("tools/ca/a.cc", "#include <openssl/x509.h>\n"),
    ("src/base/a.cc", '// std::mutex\n/* rand() */ const char* a = "time(nullptr) \\" rand()";\nint b = 10\'000;\n'),
    ("src/base/a.cc", 'const char* a = R"x(if (a) b; " rand() )x";\nchar b = \'"\';\nint rand_count = 0;\n'),
    ("src/base/a.cc", "void F() {\n  if constexpr (A<B>(c)) {\n  } else if (d) {\n  } else {\n  }\n"
                      "  do {\n  } while (a);\n}\n"),
    ("src/base/a.cc", "#define A(b) \\\n  if (b) return\nstatic_assert(true);\n"),
    ("src/base/a.cc", "void Short() {\n" + "  a();\n" * 68 + "}\n"),
    ("src/base/a.cc", "constexpr int kTable[] = {\n" + "    1,\n" * 100 + "};\n"),
    ("src/base/a.cc", "namespace a {\nclass B {\n" + "  void C() { d(); }\n" * 100 + "};\n}\n"),
    ("src/base/a.h", "// A contract.\n#ifndef POSTERN_SRC_BASE_A_H_\n#define POSTERN_SRC_BASE_A_H_\n\n"
                     "#endif  // POSTERN_SRC_BASE_A_H_\n"),
    ("tools/build/a.cc", "int g_count = 0;\n"),
]


def breaches(path, text, exceptions=""):
    """The rules that a tree of this one file breaks."""
    read = lambda name: (HERE / name).read_text(encoding="utf-8")
    files = {path: text}
    if path.startswith("src/"):
        files.setdefault(path.rsplit("/", 1)[0] + "/BUILD.bazel", "")
    return tidy.Tidy(read("layering.txt"), read("banned.txt"), exceptions).check(files)


class TidyTest(unittest.TestCase):
    def test_catches_what_is_bad(self):
        for rule, path, text in BAD:
            with self.subTest(rule=rule, path=path, text=text[:80]):
                found = breaches(path, text)
                self.assertEqual([line.split("[")[1].split("]")[0] for line in found], [rule], found)

    def test_passes_what_is_good(self):
        for path, text in GOOD:
            with self.subTest(path=path, text=text[:80]):
                self.assertEqual(breaches(path, text), [])

    def test_names_the_line(self):
        self.assertTrue(breaches("src/tls/a.cc", "int a;\n\n/*\n*/ std::thread t;\n")[0].startswith("src/tls/a.cc:4: "))

    def test_wants_a_build_file(self):
        checker = tidy.Tidy("layer src/base", "a\nin src\nb", "")
        self.assertEqual(checker.check({"src/base/a.cc": ""}), ["src/base:1: [build] no BUILD.bazel"])

    def test_exceptions(self):
        text = "int a;\n" * 450
        self.assertEqual(breaches("src/base/a.cc", text, "file src/base/a.cc 450"), [])
        self.assertEqual(len(breaches("src/base/a.cc", text, "file src/base/a.cc 449")), 1)
        self.assertIn("no longer needed", breaches("src/base/a.cc", "", "file src/base/a.cc 450")[0])

    def test_rules_that_cannot_be_read_are_refused(self):
        with self.assertRaises(ValueError):
            tidy.Layering("layers src/base")
        with self.assertRaises(ValueError):
            tidy.Banned("a\nb\nc")

    def test_documents(self):
        """A name without a row, a row without a name, and a state that is not drawn; and none of them."""
        code = ('std::string_view NameOf(CloseReason reason) {\n  switch (reason) {\n      return "none";\n      return "shed";\n'
                '      return "drained";\n  }\n}\n')
        header = "class Thing : public Base {\n public:\n  enum class State : uint8_t {\n    kOne,  // of kThree\n    kTwo,\n  };\n"
        rows = "## Closes\n\n| Reason | When |\n|---|---|\n| `shed`, `drained` | Then. |\n\n## Other\n"
        drawn = "## State machines\n\n### Thing::State\n\n[*] --> kOne\nkOne --> kTwo\n\n### Other\n"
        files = {"src/proxy/counters.cc": code, "src/proxy/a.h": header, "docs/REASONS.md": rows, "docs/ARCHITECTURE.md": drawn}
        self.assertEqual(documents.check(files), [])
        for path, old, new, word in (("docs/REASONS.md", "`shed`, ", "", "no row for shed"),
                                     ("docs/REASONS.md", "`shed`", "`shed`, `gone`", "gone is not said"),
                                     ("docs/REASONS.md", "`shed`", "`shed`, `shed`", "has two rows"),
                                     ("docs/ARCHITECTURE.md", "kTwo", "kThree", "no Thing::State::kTwo"),
                                     ("docs/ARCHITECTURE.md", "### Thing", "### Thin", "no Thing::State::kOne"),
                                     ("src/proxy/counters.cc", "NameOf", "TextOf", "no names of CloseReason")):
            with self.subTest(word):
                found = documents.check({**files, path: files[path].replace(old, new)})
                self.assertTrue(any(word in line for line in found), found)

    def test_documented_lines(self):
        code = 'auto line = BeginLine(env, LogLevel::kInfo, "refused");\nline.Append(" reason=");\n'
        table = "## The error log\n\n| line | level | fields |\n|---|---|---|\n| `refused` | `info` | `reason` |\n"
        files = {"src/proxy/event_log.cc": code, "docs/LOGS.md": table}
        self.assertEqual(documents.check(files), [])
        for old, new, word in (("`refused`", "`gone`", "no row for refused"), ("`reason`", "reason", "no field reason")):
            found = documents.check({**files, "docs/LOGS.md": table.replace(old, new)})
            self.assertTrue(any(word in line for line in found), found)

    def test_finds_functions(self):
        code = source.code_only('namespace a {\nint F(int b) {\n  return G({1}, "}");\n}\n'
                                "struct S {\n  int a = 1;\n  S() : a{2} {\n  }\n};\n}\n")
        self.assertEqual(source.functions(code), [("F", 2, 4), ("S", 7, 8)])


if __name__ == "__main__":
    unittest.main()
