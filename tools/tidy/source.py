"""A rough reading of C++: enough to tell comments from code, and where functions begin and end."""

import re

_RAW_STRING = re.compile(r'(?:u8|[uUL])?R"([^()\\\s]{0,16})\(')
_TYPE = re.compile(r"\b(class|struct|union|enum)\b")
_NAMESPACE = re.compile(r'\bnamespace\b|^extern ""$')
_CONTROL = re.compile(r"\b(if|for|while)\s*(?:constexpr\s*)?(?=\()|\belse\b")
_NAME = re.compile(r"([~\w:]+|operator\s*\S+?)\s*\(")


def code_only(text):
    """The text without comments, preprocessor lines and the contents of literals; lines keep their numbers."""
    out = []
    i = 0

    def skip(end):
        out.append("\n" * text.count("\n", i, end))
        return end

    def find(what, start):
        found = text.find(what, start)
        return len(text) if found < 0 else found + len(what)

    while i < len(text):
        char = text[i]
        if text.startswith("//", i):
            end = text.find("\n", i)
            i = skip(len(text) if end < 0 else end)
        elif text.startswith("/*", i):
            i = skip(find("*/", i + 2))
        elif char == "#" and not text[text.rfind("\n", 0, i) + 1:i].strip():
            end = i
            while True:
                end = text.find("\n", end)
                if end < 0 or text[end - 1] != "\\":
                    break
                end += 1
            i = skip(len(text) if end < 0 else end)
        elif char in "uULR" and (raw := _RAW_STRING.match(text, i)):
            end = find(")" + raw.group(1) + '"', raw.end())
            out.append('""')
            i = skip(end)
        elif char == '"' or (char == "'" and not (out and out[-1][-1:].isalnum())):
            end = i + 1
            while end < len(text) and text[end] not in (char, "\n"):
                end += 2 if text[end] == "\\" else 1
            out.append(char + char)
            i = min(end + 1, len(text))
        else:
            out.append(char)
            i += 1
    return "".join(out)


def functions(code):
    """(name, first line, last line) of every function with a body; code as code_only() gives it."""
    found = []
    stack = []  # (kind, name, first line, header to go on with)
    header = ""
    header_line = 1
    line = 1
    for char in code:
        if char == "\n":
            line += 1
        if char == "{":
            kind = _kind(header.strip(), stack[-1][0] if stack else "namespace")
            name = _NAME.search(header) if kind == "function" else None
            stack.append((kind, name.group(1) if name else "", header_line, header))
            header = ""
        elif char == "}" and stack:
            kind, name, first, before = stack.pop()
            if kind == "function":
                found.append((name, first, line))
            header = before + "()" if kind == "initializer" else ""
            if kind == "initializer":
                header_line = first
        elif char == ";":
            header = ""
        else:
            if not header.strip():
                header_line = line
            header += char
    return found


def _kind(header, around):
    """What the block after this header is, in a block of the kind "around"."""
    if around not in ("namespace", "type"):
        return "inner"
    if _NAMESPACE.search(header):
        return "namespace"
    arguments = header.rfind(")")
    # A{...} in the list of a constructor, or of a member's default value: the header goes on after it.
    if arguments >= 0:
        tail = header[arguments + 1:]
        depth_zero = header.count("(") == header.count(")")
        if not depth_zero:
            return "initializer"
        listed = re.search(r"\)\s*(noexcept)?\s*:(?!:)", header)
        if listed and re.search(r"[\w>]$", header) and not tail.strip().startswith("noexcept"):
            return "initializer"
        if "=" in re.sub(r"\([^()]*\)|operator\s*[=!<>+*/%&|^-]+", "", header):
            return "initializer"
        return "function"
    if _TYPE.search(header):
        return "type"
    return "initializer"


def braceless(code):
    """The lines on which an if, else, for or while has a body without braces."""
    lines = []
    for match in _CONTROL.finditer(code):
        end = match.end()
        if match.group(1):
            depth = 0
            while end < len(code):
                depth += {"(": 1, ")": -1}.get(code[end], 0)
                end += 1
                if depth == 0:
                    break
        rest = re.sub(r"^\s*\[\[\w+\]\]", "", code[end:end + 200]).lstrip()
        closes_do = match.group(1) == "while" and rest.startswith(";")
        chained = not match.group(1) and re.match(r"if\b", rest)
        if not rest.startswith("{") and not closes_do and not chained:
            lines.append(code.count("\n", 0, match.start()) + 1)
    return lines
