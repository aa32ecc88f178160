#!/usr/bin/env python3
"""Checks the tree against the rules of the house; prints one line per breach and ends with 1 if there is any.

  tidy.py [ROOT]

What a rule is about stands beside it: the order of folders in layering.txt, banned words in banned.txt, and today's
exceptions to the size limits in exceptions.txt.
"""

import pathlib
import re
import sys

import documents
import source

FILE_LINES_MAX = 400  # what one sitting can read
FUNCTION_LINES_MAX = 70  # one screen
COLUMNS_MAX = 100

ROOTS = ("src", "tests", "bench", "tools", "packaging")
TEXT_SUFFIXES = (".cc", ".h", ".py", ".sh", ".bzl", ".bazel", ".proto", ".txt", ".md", "")
OWN_FOLDER = "tools/tidy/"

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
_LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
_TEST_FILE = re.compile(r"_(test|fuzz|bench)\.cc$|_test_\w+\.(h|cc)$|/testing/")
_IMPLEMENTATION = re.compile(r'"@boringssl(_deterministic)?//:(ssl|crypto)"|"@boringssl(_deterministic)?"')


def under(path, folder):
    """Whether the path is the folder, lies in it, or starts with it up to the end of a name's word."""
    return path == folder or path.startswith(folder + "/")


def read_rules(text):
    """The words of each line, comments left out."""
    lines = (line.split("#", 1)[0].split() for line in text.splitlines())
    return [words for words in lines if words]


class Layering:
    """layering.txt."""

    def __init__(self, text):
        self.layers = []
        self.denied = []
        self.entrances = []
        self.walls = []
        for words in read_rules(text):
            kind, rest = words[0], words[1:]
            if kind == "layer" and len(rest) == 1:
                self.layers.append(rest[0])
            elif kind == "deny" and len(rest) > 1:
                self.denied.append((rest[0], rest[1:]))
            elif kind == "via" and len(rest) > 1:
                self.entrances.append((rest[0], rest[1:]))
            elif kind == "only" and len(rest) > 1:
                self.walls.append((rest[0], rest[1:]))
            else:
                raise ValueError("layering.txt: cannot read: " + " ".join(words))

    def layer_of(self, path):
        """The index of the most particular layer that the path lies in, or None."""
        fits = [(len(layer), index) for index, layer in enumerate(self.layers) if under(path, layer)]
        return max(fits)[1] if fits else None

    def check(self, path, quote, included):
        """What is wrong with this file's including that, or None."""
        for prefix, folders in self.walls:
            if included.startswith(prefix) and not any(under(path, folder) for folder in folders):
                return f"<{prefix}...> may be included in {', '.join(folders)} only"
        if not path.startswith("src/"):
            return None
        if quote == '"' and not included.startswith(("src/", "absl/")):
            if not (included.startswith("tests/") and _TEST_FILE.search(path)):
                return f'"{included}": src/ includes its own files by their path from the root, and nothing of tests/ or tools/'
        if not included.startswith("src/"):
            return None
        return self._check_own(path, included)

    def _check_own(self, path, included):
        mine, theirs = self.layer_of(path), self.layer_of(included)
        if mine is None or theirs is None:
            stranger = path if mine is None else included
            return f"{stranger} is in no layer of layering.txt"
        if theirs < mine:
            return f"{self.layers[mine]} may not include {included}: {self.layers[theirs]} is above it"
        for folder, others in self.denied:
            if under(path, folder) and any(under(included, other) for other in others):
                return f"{folder} may not include {included}"
        for folder, others in self.entrances:
            inside = under(path, folder) or any(under(path, other) for other in others)
            if under(included, folder) and not inside:
                return f"{folder} may be included by {', '.join(others)} only"
        return None


class Banned:
    """banned.txt."""

    def __init__(self, text):
        body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        self.rules = []
        for block in re.split(r"\n\s*\n", body.strip()):
            lines = [line.strip() for line in block.splitlines()]
            scope = lines[1].split() if len(lines) == 3 else []
            if len(scope) < 2 or scope[0] not in ("in", "outside"):
                raise ValueError("banned.txt: cannot read: " + block)
            self.rules.append((re.compile(lines[0]), scope[0] == "in", scope[1:], lines[2]))

    def check(self, path, code):
        """(line, message) of every banned word in the code of this file."""
        if not path.startswith("src/") or _TEST_FILE.search(path):
            return
        for pattern, wanted, prefixes, instead in self.rules:
            if any(path.startswith(prefix) for prefix in prefixes) != wanted:
                continue
            for match in pattern.finditer(code):
                yield code.count("\n", 0, match.start()) + 1, f"'{match.group(0)}': {instead}"


class Tidy:
    """All rules, over a tree given as {path: text}."""

    def __init__(self, layering, banned, exceptions):
        self.layering = Layering(layering)
        self.banned = Banned(banned)
        self.exceptions = {tuple(words[:-1]): int(words[-1]) for words in read_rules(exceptions)}
        self.used = set()
        self.breaches = []

    def breach(self, path, line, rule, message):
        self.breaches.append(f"{path}:{line}: [{rule}] {message}")

    def check(self, files):
        """The breaches of the whole tree, sorted."""
        for path, text in sorted(files.items()):
            if path.endswith((".cc", ".h")):
                self.check_cpp(path, text)
            self.check_text(path, text)
        self.check_folders(files)
        for key in sorted(set(self.exceptions) - self.used):
            self.breach("tools/tidy/exceptions.txt", 1, "exceptions", f"no longer needed: {' '.join(key)}")
        return self.breaches

    def check_cpp(self, path, text):
        lines = text.splitlines()
        self.limit(path, 1, ("file", path), len(lines), FILE_LINES_MAX, "the file")
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                self.breach(path, number, "columns", f"{len(line)} columns; the limit is {COLUMNS_MAX}")
        code = source.code_only(text)
        for name, first, last in source.functions(code):
            self.limit(path, first, ("function", path, name), last - first + 1, FUNCTION_LINES_MAX, name)
        for number in source.braceless(code):
            self.breach(path, number, "braces", "a body without braces")
        for number, message in self.banned.check(path, code):
            self.breach(path, number, "banned", message)
        for match in _INCLUDE.finditer(text):
            message = self.layering.check(path, match.group(1), match.group(2))
            if message:
                self.breach(path, text.count("\n", 0, match.start()) + 1, "layering", message)
        if path.endswith(".h"):
            self.check_guard(path, text)

    def limit(self, path, line, key, count, count_max, what):
        allowed = self.exceptions.get(key, count_max)
        if count > count_max:
            self.used.add(key)
        if count > allowed:
            self.breach(path, line, "size", f"{what} has {count} lines; the limit is {allowed}")

    def check_guard(self, path, text):
        guard = "POSTERN_" + re.sub(r"[^A-Z0-9]", "_", path.upper()) + "_"
        wanted = f"#ifndef {guard}\n#define {guard}\n"
        if wanted not in text or not text.rstrip().endswith((f"#endif  // {guard}", "#endif")):
            self.breach(path, 1, "guard", f"the include guard has to be {guard}")

    def check_text(self, path, text):
        if not path.startswith(OWN_FOLDER):
            for number, line in enumerate(text.splitlines(), 1):
                leftover = _LEFTOVER.search(line)
                if leftover:
                    self.breach(path, number, "leftover", f"{leftover.group(0)}: do it, or say why not")
        if path.startswith("src/") and path.endswith("BUILD.bazel"):
            for match in _IMPLEMENTATION.finditer(text):
                number = text.count("\n", 0, match.start()) + 1
                self.breach(path, number, "boringssl", "libraries take @boringssl//:headers; binaries and tests say "
                            "boringssl = \"real\" or \"deterministic\"")

    def check_folders(self, files):
        for folder in sorted({path.rsplit("/", 1)[0] for path in files if path.startswith("src/")}):
            has_code = any(path.endswith((".cc", ".h")) and path.rsplit("/", 1)[0] == folder for path in files)
            if has_code and f"{folder}/BUILD.bazel" not in files:
                self.breach(folder, 1, "build", "no BUILD.bazel")


def read_tree(root):
    """{path: text} of everything the rules are about."""
    files = {}
    for top in ROOTS:
        for path in sorted((root / top).rglob("*")):
            if path.is_file() and path.suffix in TEXT_SUFFIXES and "__pycache__" not in path.parts:
                try:
                    files[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8")
                except UnicodeDecodeError:
                    pass  # a binary sample
    return files


def rules(folder):
    """A Tidy with the rules of this folder."""
    return Tidy(*((folder / name).read_text(encoding="utf-8")
                  for name in ("layering.txt", "banned.txt", "exceptions.txt")))


def main(arguments):
    here = pathlib.Path(__file__).resolve().parent
    root = pathlib.Path(arguments[0]) if arguments else here.parent.parent
    files = read_tree(root)
    if not files:
        print(f"tidy: there is nothing in {root}")
        return 2
    breaches = rules(here).check(files)
    papers = {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in (root / "docs").glob("*.md")}
    breaches += documents.check({**files, **papers})
    for breach in breaches:
        print(breach)
    print(f"tidy: {len(files)} files, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
