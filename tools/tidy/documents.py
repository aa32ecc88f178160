"""Holds documents against the code: what the program calls something stands where people look it up.

Flags, metrics, log fields and headers are held by tests that ask the program itself.
"""

import re

REASONS = "docs/REASONS.md"
ARCHITECTURE = "docs/ARCHITECTURE.md"

# Of REASONS.md: section, the file that has the names, the enum whose names they are.
TABLES = [
    ("Refusals", "src/tls/reason.cc", "Reason"),
    ("Closes", "src/proxy/counters.cc", "CloseReason"),
    ("Abuses of HTTP/2", "src/http/h2_budget.cc", "H2Abuse"),
    ("Tickets", "src/tls/ticket_result.cc", "TicketResult"),
    ("Failures of servers", "src/proxy/stream.cc", "UpstreamStream::Failure"),
    ("Failures of health checks", "src/upstream/health_table.cc", "CheckError"),
]
# Where lines of the error log are written that have fields.
EVENTS = ("src/proxy/event_log.cc", "src/control/health_checker.cc")
LOGS = "docs/LOGS.md"
# What stands for no reason, or for none that there is.
NO_NAMES = {"none", "invalid", "unknown", ""}

# Enums with these names are state machines, but for a parser's, which are the grammar.
_MACHINE = re.compile(r"enum class (State|Phase|Life) : uint8_t \{([^}]*)\}")
_CLASS = re.compile(r"^class (\w+)\b[^;]*$", re.MULTILINE)
GRAMMARS = {"src/http/h1_body.h"}


def names_of(text, enum):
    """What NameOf says of an enum's values: by a table, or by a switch."""
    table = re.findall(r"\{" + enum + r'::k\w+, "(\w+)"\}', text)
    if table:
        return set(table) - NO_NAMES
    function = re.search(r"NameOf\((?:\w+::)*?" + enum + r" \w+\) \{(.*?)\n\}\n", text, re.DOTALL)
    return set(re.findall(r'return "(\w*)";', function.group(1))) - NO_NAMES if function else set()


def section(text, heading):
    """From a heading of the second level to the next."""
    found = re.search(r"^## " + re.escape(heading) + r"$(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return found.group(1) if found else ""


def names_in_table(text):
    """Those of the first column."""
    cells = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def machines(path, text):
    """(class, enum, values) of each state machine that a header declares."""
    for found in _MACHINE.finditer(text):
        classes = _CLASS.findall(text, 0, found.start())
        body = re.sub(r"//[^\n]*", "", found.group(2))
        yield (classes[-1] if classes else path), found.group(1), re.findall(r"\bk\w+", body)


def check_events(files):
    """Every kind of line has a row in LOGS.md, which has every field."""
    lines = []
    table = "".join(re.findall(r"^\|.*\n", section(files.get(LOGS, ""), "The error log"), re.MULTILINE))
    rows = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    words = set(re.findall(r"`(\w+)`", table))
    for path in [path for path in EVENTS if path in files]:
        kinds = set(re.findall(r'(?:LogLevel::\w+,|StrCat\() ?"(\w+)"(?:\)|, WhichText)', files[path]))
        if not kinds:
            lines.append(f"{path}:1: [documents] no kinds of lines are found")
        for kind in sorted(kinds - rows):
            lines.append(f"{LOGS}:1: [documents] The error log: no row for {kind} ({path})")
        for field in sorted(set(re.findall(r'" (\w+)=', files[path])) - words):
            lines.append(f"{LOGS}:1: [documents] The error log: no field {field} ({path})")
    return lines


def check(files):
    """Lines for what is not where it should be. `files`: {path: text}, documents among them."""
    lines = check_events(files)
    for heading, path, enum in TABLES:
        if path not in files:
            continue
        said = names_of(files[path], enum)
        if not said:
            lines.append(f"{path}:1: [documents] no names of {enum} are found")
        if heading == "Failures of servers":
            # What has no attempt to ask says it itself.
            said |= {name for file, text in files.items() if file.startswith("src/proxy/")
                     for name in re.findall(r'LogServerFailed\([^;]*"(\w+)"\);', text)}
        written = names_in_table(section(files.get(REASONS, ""), heading))
        for name in sorted(said - set(written)):
            lines.append(f"{REASONS}:1: [documents] {heading}: no row for {name} ({path})")
        for name in sorted(name for name in set(written) if name not in said or written.count(name) > 1):
            lines.append(f"{REASONS}:1: [documents] {heading}: {name} is not said, or has two rows ({path})")
    drawn = section(files.get(ARCHITECTURE, ""), "State machines")
    for path, text in files.items():
        if not path.startswith("src/") or not path.endswith(".h") or "_test_" in path or path in GRAMMARS:
            continue
        for owner, enum, values in machines(path, text):
            start = drawn.find(f"{owner}::{enum}")
            about = drawn[start:].partition("\n### ")[0] if start >= 0 else ""
            for value in [value for value in values if not re.search(rf"\b(s_)?{value}\b", about)]:
                lines.append(f"{ARCHITECTURE}:1: [documents] state machines: no {owner}::{enum}::{value} ({path})")
    return lines
