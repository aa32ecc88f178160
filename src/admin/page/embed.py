"""Makes one C++ source of the admin page: embed.py page.html page.css SCRIPT... > page_text.cc

In page.html the lines STYLE and SCRIPT stand for the other files, TOKEN for what each process puts there. The policy
names the hashes of what is inline, so that nothing else runs, whatever comes into the page by way of data.
"""

import base64
import hashlib
import pathlib
import sys

# Literals longer than this are no longer portable; neighbours are joined by the compiler.
PIECE = 4000


def literal(text):
    """As C++ string literals, one a line."""
    pieces = [text[i:i + PIECE] for i in range(0, len(text), PIECE)] or [""]
    return "\n".join('    R"~~~~(' + piece + ')~~~~"' for piece in pieces)


def source_of(text):
    """For a Content-Security-Policy."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def main():
    page, style, *scripts = [pathlib.Path(path).read_text("utf-8") for path in sys.argv[1:]]
    style, script = "\n" + style, "\n" + "".join(scripts)
    for what in (style, script):
        if "</" in what or ")~~~~" in what:
            sys.exit("embed.py: a style or a script must contain no '</'")
    policy = "; ".join([
        "default-src 'none'", f"style-src {source_of(style)}", f"script-src {source_of(script)}", "connect-src 'self'",
        "img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"])
    for mark, what in (("STYLE", style), ("SCRIPT", script)):
        if page.count(mark) != 1:
            sys.exit(f"embed.py: {mark} must stand in the page once")
        page = page.replace(mark, what)
    before, mark, after = page.partition("TOKEN")
    if not mark:
        sys.exit("embed.py: TOKEN must stand in the page")
    print('#include "src/admin/page_text.h"\n\nnamespace postern::admin {\n')
    for name, text in (("kPageBeforeToken", before), ("kPageAfterToken", after), ("kPagePolicy", policy)):
        print(f"const std::string_view {name} =\n{literal(text)};")
    print("\n}  // namespace postern::admin")


if __name__ == "__main__":
    main()
