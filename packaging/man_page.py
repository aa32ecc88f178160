#!/usr/bin/env python3
"""Writes postern(8) from what documents the program already: docs/FLAGS.md and the comments of the schema.

    man_page.py --flags docs/FLAGS.md --schema src/config/postern.proto --version 0.1.0 > postern.8
"""

import argparse
import pathlib
import re
import sys

HEAD = r""".\" Made by packaging/man_page.py.
.TH POSTERN 8 "" "postern %(version)s" "System Administration"
.SH NAME
postern \- mutual\-TLS edge proxy
.SH SYNOPSIS
.B postern
.BI \-\-config= FILE
.RI [ FLAG ...]
.br
.B postern
.BI \-\-listen= ADDRESS:PORT
.BI \-\-cert= FILE
.BI \-\-key= FILE
.BI \-\-backend= SERVER
.RI [ FLAG ...]
.SH DESCRIPTION
.B postern
lets in only clients that can prove who they are. It ends mutual TLS on an HTTPS listener and hands each request to a
healthy server of a server group, together with the verified identity of the client in request headers.
.PP
It stays in the foreground, serves from one thread a core, and says on standard error when every one of them accepts.
"""

TAIL = r""".SH SIGNALS
.TP
.BR SIGTERM ", " SIGINT
Drain: finish the requests under way, at most for
.BR \-\-drain_timeout ,
then end. A second one ends at once.
.TP
.B SIGHUP
Load the configuration and the files it names again. It is taken whole, or the old one goes on and the error log says why.
.TP
.B SIGUSR1
Open the log files again, after they have been renamed.
.SH EXIT STATUS
.TP
.B 0
It was asked to end, and has drained; or
.B \-\-check_config
has found nothing wrong.
.TP
.B 1
The machine said no (ports, memory, io_uring), or a flag does not exist or has a value of the wrong type.
.TP
.B 2
The configuration, or a file it names, is not right.
.SH ENVIRONMENT
.TP
.BR NOTIFY_SOCKET ", " WATCHDOG_USEC ", " WATCHDOG_PID
Where and how often a service manager is told how the process is; see
.BR sd_notify (3).
.SH FILES
.TP
.I /etc/postern/postern.textproto
The configuration of the Debian package's service.
.TP
.I /etc/postern/tls/
Its certificates and keys, readable by root and the group postern.
.TP
.I /var/log/postern/
Its access log.
.TP
.I /usr/sbin/postern\-healthtop
Shows live what the process knows of its servers; see its
.BR \-\-help .
.TP
.I /usr/share/doc/postern/
What is called docs/ here, and examples of configurations.
.SH SEE ALSO
.BR systemd.service (5),
.BR curl (1)
"""


def escape(text):
    """Plain text as roff."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("`", "")
    # A line that begins with one of these would be a request.
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def prose(text):
    """Markdown's few marks as roff."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return escape(text.strip())


def paragraphs(lines):
    """Text and indented blocks, as in the schema's comments."""
    out = []
    block = False
    for line in lines:
        indented = line.startswith("  ") and line.strip()
        if indented and not block:
            out.append(".nf\n.RS 2")
        elif block and not indented:
            out.append(".RE\n.fi")
        block = bool(indented)
        if line.strip():
            out.append(escape(line.strip()))
        elif not block:
            out.append(".PP" if out and out[-1] != ".PP" else "")
    if block:
        out.append(".RE\n.fi")
    return [entry for entry in out if entry]


def flag_sections(text):
    """From FLAGS.md: its sections with their tables."""
    out = [".SH FLAGS"]
    for part in re.split(r"(?m)^## ", text)[1:]:
        title, _, body = part.partition("\n")
        out.append(f'.SS "{escape(title)}"')
        above = body.partition("\n| Flag")[0]
        for paragraph in re.split(r"\n\s*\n", above.strip()):
            if paragraph:
                out.append(prose(paragraph.replace("\n", " ")))
        for name, default, meaning in re.findall(r"(?m)^\| `(--\w+)` \|(.*?)\| (.*) \|$", body):
            default = default.strip().strip("`")
            out.append(f".TP\n.B {escape(name)}" + (f"\n(default {escape(default)})" if default else ""))
            out.append(prose(meaning))
    return out


FIELD = re.compile(r"\s+(optional|repeated) (\w+) (\w+) = \d+(?: \[default = (.*)\])?;")


def schema_sections(text):
    """From the schema: messages, fields, and the comments before them."""
    out = ['.SH "CONFIGURATION FILE"']
    comment = []
    for line in text.splitlines():
        stripped = line.strip()
        message = re.fullmatch(r"message (\w+) \{", stripped)
        field = FIELD.fullmatch(line)
        if stripped.startswith("//"):
            comment.append(stripped[2:].removeprefix(" "))
        elif stripped.startswith("syntax"):
            out += paragraphs(comment)
        elif message:
            out.append(f'.SS "{message.group(1)}"')
            out += paragraphs(comment)
        elif field:
            kind, of, name, default = field.groups()
            what = of + (", repeated" if kind == "repeated" else "") + (f", default {default}" if default else "")
            quoted = escape(what).replace('"', r"\(dq")  # a quote would end the macro's argument
            out.append(f'.TP\n.BR {escape(name)} " ({quoted})"')
            out += [entry for entry in paragraphs(comment) if entry != ".PP"]
        if not stripped.startswith("//"):
            comment = []
    return out


def page(flags, schema, version):
    lines = [HEAD % {"version": escape(version)}, *flag_sections(flags), *schema_sections(schema), TAIL]
    return "\n".join(line.rstrip("\n") for line in lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("flags", "schema", "version"):
        parser.add_argument("--" + name, required=True)
    arguments = parser.parse_args()
    sys.stdout.write(page(pathlib.Path(arguments.flags).read_text("utf-8"),
                          pathlib.Path(arguments.schema).read_text("utf-8"), arguments.version))


if __name__ == "__main__":
    main()
