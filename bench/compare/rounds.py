"""The measuring: every proxy once a round, in an order that rotates."""

import sys

import idle_memory
import scenarios

OPENINGS = 300  # full handshakes, where their cost has to be known and is not measured itself
WARM_UP = 0.1


class Rounds:
    """Measures `instances` in the scenarios `chosen`. `samples` is {scenario: {peer: [Sample of each round]}}."""

    def __init__(self, bench, instances, chosen, scale):
        self._bench = bench
        self._instances = instances
        self._chosen = chosen
        self._scale = scale
        self.samples = {scenario.key: {} for scenario in chosen}

    def warm_up(self):
        """Fills pools and caches, and is forgotten."""
        for instance in self._instances:
            for scenario in self._chosen:
                if scenario.kind != "idle":
                    sample = instance.sample(scenario, count(scenario, self._scale * WARM_UP), None)
                    if sample.errors:
                        tell(scenario, instance.peer.name, sample)

    def run(self, number):
        """One round."""
        turn = number % len(self._instances)
        order = self._instances[turn:] + self._instances[:turn]
        openings = {}
        for scenario in self._chosen:
            for instance in order:
                if instance.peer.mutual or not scenario.needs_mutual:
                    sample = self._measure(scenario, instance, openings)
                    self.samples[scenario.key].setdefault(instance.peer.name, []).append(sample)
                    tell(scenario, instance.peer.name, sample)

    def _measure(self, scenario, instance, openings):
        if scenario.kind == "idle":
            return idle_memory.sample(self._bench, instance.peer, scenario, count(scenario, self._scale))
        if scenario.kind == "full":
            sample = instance.sample(scenario, count(scenario, self._scale), None)
            openings[instance.peer.name] = sample.value
            return sample
        if instance.peer.name not in openings:
            opening = instance.sample(scenarios.BY_KEY["full"], OPENINGS, None)
            openings[instance.peer.name] = opening.value
        return instance.sample(scenario, count(scenario, self._scale), openings[instance.peer.name])


def count(scenario, scale):
    return max(scenario.least, int(scenario.operations * scale))


def tell(scenario, name, sample):
    value = "nothing measured" if sample.value is None else f"{sample.value:.1f} {scenario.unit}"
    errors = f", {sample.errors} errors {sample.why}" if sample.errors or sample.why else ""
    print(f"compare:   {scenario.key:8} {name:15} {value}{errors}", file=sys.stderr, flush=True)
