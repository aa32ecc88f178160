"""/metrics, as Prometheus reads it, and what docs/METRICS.md says of it."""

import pathlib
import re
import urllib.request

from lib import files

SAMPLE = re.compile(r'(postern_[a-z0-9_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\d+(?:\.\d+)?)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"')
DOCUMENT = pathlib.Path(__file__).resolve().parents[3] / "docs" / "METRICS.md"


class Metrics:
    """A scrape: families by name, samples by name and labels."""

    def __init__(self, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=files.PATIENCE_S) as page:
            self.content_type = page.headers["Content-Type"]
            text = page.read().decode("utf-8")
        self.types = {}
        self.samples = {}
        family = None
        for line in text.splitlines():
            if line.startswith("# HELP "):
                family = line.split(" ")[2]
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name == family and name not in self.types, line
                self.types[name] = kind
            else:
                self._sample(line, family)

    def _sample(self, line, family):
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        assert name == family or self.types[family] == "histogram" and re.fullmatch(
            family + "_(bucket|sum|count)", name), line
        key = (name, tuple(LABEL.findall(labels or "")))
        assert key not in self.samples, line
        self.samples[key] = float(value)

    def get(self, name, **labels):
        """The sum of all samples of this name that have these labels."""
        return sum(value for (sample, pairs), value in self.samples.items()
                   if sample == name and set(labels.items()) <= set(pairs))

    def buckets(self, name, **labels):
        return [(dict(pairs)["le"], value) for (sample, pairs), value in self.samples.items()
                if sample == name + "_bucket" and set(labels.items()) <= set(pairs)]

    def labels(self, name):
        """The sets of labels of a family's samples, each as a dict; a histogram's without `le`."""
        names = [name + "_count"] if self.types[name] == "histogram" else [name]
        return [dict(pairs) for sample, pairs in self.samples if sample in names]

    def values(self, name, label):
        """What stands in a label of a family."""
        return {labels[label] for labels in self.labels(name)}


class Row:
    """A family in the document."""

    def __init__(self, line):
        self.name, self.kind, labels, self.text = re.fullmatch(
            r"\| `(postern_[a-z0-9_]+)` \| (\w+) \| ([^|]*)\| (.*?)\|?", line).groups()
        self.labels = set(re.findall(r"`(\w+)`", labels))

    def words(self):
        """What the text has in backticks: the values of a label."""
        return set(re.findall(r"`(\w+)`", self.text))


def documented():
    """The families by their names."""
    rows = [Row(line) for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| `postern_")]
    return {row.name: row for row in rows}
