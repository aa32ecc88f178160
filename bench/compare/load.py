"""The load generator, //tools/load: its command line, and what its results say. Nothing else here knows either."""

import dataclasses
import json
import pathlib
import subprocess


def patience_s(operations):
    """Twenty times what the most expensive operation of the slowest proxy was seen to take."""
    return 60 + 0.02 * operations


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of the operations of one run. Those that were never made count as errors."""

    responses: int
    errors: int
    full: int  # handshakes
    resumed: int
    why: str = ""  # nothing could be measured


def command(generator, port, name, root, identities, results, scenario, operations):
    """The command of one run against https://NAME at 127.0.0.1:PORT."""
    words = [generator, f"--connect=127.0.0.1:{port}", f"--ca={root}", f"--identities={identities}", "--threads=1",
             f"--connections={scenario.connections}", f"--operations={operations}", f"--mix={scenario.kind}:1",
             f"--http={scenario.http}", f"--json={results}"]
    if scenario.http == 2:
        words.append(f"--streams={scenario.streams}")
    return [str(word) for word in words] + [f"https://{name}:{port}{scenario.path}"]


def read(text, asked):
    """The results as an Outcome. An answer that is not 2xx is an error, too."""
    results = json.loads(text)
    responses = results["operations"]["responses"]
    good = min(responses, sum(count for name, count in results["status"].items() if name.startswith("2")))
    return Outcome(responses=good, errors=max(results["operations"]["errors"] + responses - good, asked - good),
                   full=results["handshakes"]["full"], resumed=results["handshakes"]["resumed"])


def nothing(asked, why):
    return Outcome(0, asked, 0, 0, why.strip()[-300:])


def run(running, cpu, folder, asked, make_command):
    """Makes `asked` operations; `make_command(results)` is the command that writes its results there."""
    results = pathlib.Path(folder) / "results.json"
    log = pathlib.Path(folder) / "load.log"
    for path in (results, log):
        path.unlink(missing_ok=True)
    process = running.start(make_command(results), cpu, log)
    try:
        code = process.wait(patience_s(asked))
    except subprocess.TimeoutExpired:
        return nothing(asked, f"the load did not end within {patience_s(asked):.0f} s")
    finally:
        running.stop(process)
    try:
        return read(results.read_text("utf-8"), asked)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = log.read_text("utf-8", "replace")
        return nothing(asked, f"exit code {code}, no results ({error!r}): {said}")
