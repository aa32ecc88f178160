"""What is measured."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Scenario:
    """Operations of one kind. `kind` is what each comes upon: a new connection with a full handshake, a new one that
    resumes, or one that stands (kept); or it is idle, and memory is measured instead of CPU time."""

    key: str
    title: str
    kind: str
    path: str
    operations: int  # of one round, at --scale=1
    least: int  # however small the scale
    connections: int
    http: float = 1.1
    streams: int = 1
    unit: str = "us"

    @property
    def needs_mutual(self):
        """Whether it says nothing about a proxy that asks for no client certificate."""
        return self.kind != "kept"


# So many operations that a fast proxy is busy for about half a second: CPU time is told in hundredths at worst.
SCENARIOS = (
    Scenario("full", "full handshake and one GET of 1 KiB", "full", "/1k", 2000, 100, 16),
    Scenario("resumed", "resumed handshake and one GET of 1 KiB", "resumed", "/1k", 3000, 1000, 16),
    Scenario("get_1k", "keep-alive GET, 1 KiB", "kept", "/1k", 30000, 200, 32),
    Scenario("get_16k", "keep-alive GET, 16 KiB", "kept", "/16k", 15000, 200, 32),
    Scenario("h2_1k", "HTTP/2 GET, 1 KiB", "kept", "/1k", 30000, 200, 4, http=2, streams=32),
    Scenario("idle", "memory of an idle connection", "idle", "/1k", 2000, 200, 1, unit="KiB"),
)
BY_KEY = {scenario.key: scenario for scenario in SCENARIOS}
