"""The files of a run, and its section of a collection of results."""

import dataclasses
import json
import os
import pathlib

import figures
import plot
import table


@dataclasses.dataclass
class Report:
    """Everything that is told of a run; `rounds` are those that are complete."""

    when: str
    command: str
    machine: dict
    versions: dict  # {proxy: version}
    remarks: list
    rounds: int
    chosen: list
    samples: dict
    base: str

    def rows(self):
        return figures.rows(self.chosen, list(self.versions), self.samples, self.base)

    def table(self):
        return table.markdown(self.rows(), self.base)

    def plot(self):
        subtitle = f"{self.when[:10]}, {self.machine['processor']}, Linux {self.machine['kernel']}"
        return plot.svg(self.rows(), self.base, self.rounds, subtitle)

    def section(self):
        """For a file of results."""
        versions = "; ".join(f"{name} {version}" for name, version in self.versions.items())
        lines = [f"## {self.when[:10]}, side by side", "",
                 f"{self.rounds} {'round' if self.rounds == 1 else 'rounds'} on {self.machine['processor']} "
                 f"({self.machine['cores']} cores, load {self.machine['load']} before), Linux {self.machine['kernel']}: "
                 f"{versions}.", ""]
        lines += [f"- {remark}" for remark in self.remarks] + ([""] if self.remarks else [])
        return "\n".join(lines) + "\n" + self.table() + f"\n    {self.command}\n"

    def json(self):
        content = {"when": self.when, "command": self.command, "machine": self.machine, "versions": self.versions,
                   "remarks": self.remarks, "rounds": self.rounds,
                   "samples": {key: {name: [dataclasses.asdict(sample) for sample in taken] for name, taken in named.items()}
                               for key, named in self.samples.items()},
                   "rows": [dataclasses.asdict(row) | {"scenario": row.scenario.key} for row in self.rows()]}
        return json.dumps(content, indent=1) + "\n"

    def write(self, folder):
        """results.json, plot.svg, and table.md, which is the section."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (("results.json", self.json()), ("table.md", self.section()), ("plot.svg", self.plot())):
            replace(folder / name, text)

    def append(self, path):
        path = pathlib.Path(path)
        text = path.read_text("utf-8").rstrip() + "\n\n" if path.exists() else ""
        replace(path, text + self.section())


def replace(path, text):
    """At once, so that nobody ever finds half a file."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_text(text, "utf-8")
    os.replace(unfinished, path)
