"""Reads what callgrind writes, and tells whose instructions they are."""

import collections
import re

# "fn=(12) name" introduces a name, "fn=(12)" means it again. Files and callees have several keys for one kind of name.
KINDS = {
    "ob": "object", "cob": "object",
    "fl": "file", "fi": "file", "fe": "file", "cfi": "file", "cfl": "file",
    "fn": "function", "cfn": "function",
}
NAME = re.compile(r"([a-z]+)=\((\d+)\)(?: (.*))?$")
COST = re.compile(r"(?:\+\d+|-\d+|\*|\d+|0x[0-9a-f]+)(?: (\d+))?$")
SUMMARY = re.compile(r"(?:summary|totals): (\d+)$")

BORINGSSL, NGHTTP2, OURS = "boringssl", "nghttp2", "ours"
CATEGORIES = (OURS, BORINGSSL, NGHTTP2)
# Not of the proxy, and not counted: what surrounds it in this measurement.
HARNESS = "harness"
HARNESS_NAMES = ("postern::ceiling::", "postern::gate::", "postern::sim::")
# Has no share of its own: the C and C++ libraries work for whoever calls them.
SYSTEM = "system"


class Function:
    """One function, with what it costs itself and what its calls cost, all that is below them included."""

    def __init__(self, name, file, binary):
        self.name = name
        self.files = {file}  # with those of what was inlined into it
        self.binary = binary
        self.own = 0
        self.calls = collections.Counter()


def parse(lines):
    """The functions by callgrind's number. ValueError for a text that is not callgrind's, or that does not add up."""
    names = collections.defaultdict(dict)
    functions = {}
    at = {"object": "???", "file": "???"}
    function = callee = summary = None
    is_call = False
    for line in lines:
        line = line.rstrip("\n")
        name = NAME.match(line)
        if name and name[1] in KINDS:
            key, number, text = name.groups()
            kind = KINDS[key]
            if text is not None:
                names[kind][number] = text
            if key == "fn":
                function = functions.get(number)
                if function is None:
                    function = functions[number] = Function(names[kind][number], at["file"], at["object"])
            elif key == "cfn":
                callee = number
            elif key in ("ob", "fl"):
                at[kind] = names[kind][number]
            elif key in ("fi", "fe"):
                function.files.add(names[kind][number])
        elif line.startswith("calls="):
            is_call = True
        elif function is not None and (cost := COST.match(line)):
            count = int(cost[1] or 0)
            if is_call:
                function.calls[callee] += count
            else:
                function.own += count
            is_call = False
        elif total := SUMMARY.match(line):
            summary = int(total[1])
    if summary is None:
        raise ValueError("no summary: this is no output of callgrind")
    found = sum(function.own for function in functions.values())
    if found != summary:
        raise ValueError(f"functions cost {found}, but the summary says {summary}")
    return functions


def category_of(function, program):
    """`program`: how the path of the measured binary ends."""
    if not function.binary.endswith(program):
        return SYSTEM
    if function.name.startswith(HARNESS_NAMES):
        return HARNESS
    # The library's heap: our hooks hand on what it asks for.
    if function.name.startswith("OPENSSL_memory_"):
        return BORINGSSL
    # Some begin with what was inlined: ours with its headers, and its own with those of the C++ library.
    if "postern::" in function.name:
        return OURS
    if any("external/boringssl" in file for file in function.files):
        return BORINGSSL
    # Debian's nghttp2 is linked in without line tables, and is the only C among what is.
    if function.files == {"???"} and "::" not in function.name:
        return NGHTTP2
    return OURS


def shares_of_system(functions, category):
    """For each function of the system: which part of the work that it does is done for whom."""
    callers = collections.defaultdict(list)
    for number, function in functions.items():
        for callee, cost in function.calls.items():
            if category.get(callee) == SYSTEM and callee != number and cost > 0:
                callers[callee].append((number, cost))
    shares = {}
    # Each round reaches one call deeper into the libraries; none of them is deep.
    for _ in range(20):
        for number, edges in callers.items():
            parts = collections.Counter()
            for caller, cost in edges:
                if category[caller] == SYSTEM:
                    for owner, share in shares.get(caller, {}).items():
                        parts[owner] += cost * share
                else:
                    parts[category[caller]] += cost
            total = sum(parts.values())
            if total > 0:
                shares[number] = {owner: part / total for owner, part in parts.items()}
    return shares


def split(functions, program):
    """Instructions by category: each function's own, and those of the libraries that it calls."""
    # What has no cost of its own ran while nothing was collected: it only leads to what is measured.
    functions = {number: function for number, function in functions.items() if function.own > 0}
    category = {number: category_of(function, program) for number, function in functions.items()}
    shares = shares_of_system(functions, category)
    costs = collections.Counter()
    for number, function in functions.items():
        owner = category[number]
        if owner != SYSTEM:
            costs[owner] += function.own
        for callee, cost in function.calls.items():
            if owner != SYSTEM and category.get(callee) == SYSTEM:
                costs[owner] += cost
            elif owner == SYSTEM and callee in category and category[callee] != SYSTEM:
                # Called back (a comparison, say), which is counted where it belongs.
                for through, share in shares.get(number, {}).items():
                    costs[through] -= cost * share
    total = sum(function.own for function in functions.values())
    if abs(sum(costs.values()) - total) > total / 1000:
        raise ValueError(f"the parts cost {sum(costs.values()):.0f}, the whole {total}")
    return {name: costs[name] for name in CATEGORIES}
