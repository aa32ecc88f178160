#!/usr/bin/env python3
"""The container's recipe, the Kubernetes manifests and the dashboard: that they fit the program and each other."""

import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(os.environ.get("TEST_SRCDIR", ".")) / os.environ.get("TEST_WORKSPACE", ".")
PACKAGING = ROOT / "packaging"
CA = (ROOT / "tools/ca/ca").resolve()
POSTERN = (ROOT / "src/postern").resolve()

# What the dashboard leaves to whoever asks for it: it calls for nobody, or another panel tells as much.
NOT_SHOWN = {
    "postern_build_info", "postern_chain_cache_entries", "postern_chain_cache_evictions_total",
    "postern_chain_cache_issuers_recalled_total", "postern_connections_handed_off_total", "postern_connections_max",
    "postern_descriptor_shortages_total",
    "postern_downstream_received_bytes_total", "postern_downstream_sent_bytes_total", "postern_draining",
    "postern_h2_abuses_total", "postern_handshake_cpu_seconds_total", "postern_handshakes_deferred_total",
    "postern_start_time_seconds", "postern_tickets_issued_total", "postern_upstream_h2_abuses_total",
}


def documented_metrics():
    """Type and labels by name, of the document to which an end-to-end test holds the program."""
    rows = re.findall(r"^\| `(postern_\w+)` \| (\w+) \| ([^|]*)\|", (ROOT / "docs/METRICS.md").read_text("utf-8"),
                      re.MULTILINE)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def version():
    return re.search(r'kVersion = "(.*)";', (ROOT / "src/admin/version.h").read_text("utf-8")).group(1)


def documents(name):
    return list(yaml.safe_load_all((PACKAGING / "kubernetes" / name).read_text("utf-8")))


class ContainerTest(unittest.TestCase):
    def test_recipe(self):
        text = (PACKAGING / "container/Containerfile").read_text("utf-8").replace("\\\n", " ")
        steps = [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
        of = {word: [rest for name, rest in steps if name == word] for word, _ in steps}
        self.assertEqual(of["FROM"], ["debian:12-slim"])
        self.assertRegex(of["USER"][0], r"\A[1-9]\d*:[1-9]\d*\Z", "a number, for runAsNonRoot")
        self.assertIn("--uid " + of["USER"][0].partition(":")[0], " ".join(of["RUN"]))
        self.assertEqual(json.loads(of["ENTRYPOINT"][0]), ["/usr/sbin/postern", "--io=auto"])
        for copied in of["COPY"]:
            source = [word for word in copied.split() if not word.startswith("--")][0]
            self.assertTrue(source == "postern.deb" or (PACKAGING / "container" / source).exists(), source)
        self.assertIn(f"postern:{version()}", text)


class KubernetesTest(unittest.TestCase):
    def setUp(self):
        self.deployment, self.budget = documents("deployment.yaml")
        self.pod = self.deployment["spec"]["template"]["spec"]
        self.container, = self.pod["containers"]
        self.config_map, = documents("configmap.yaml")
        self.config = self.config_map["data"]["postern.textproto"]

    def test_all_is_applied(self):
        kustomization, = documents("kustomization.yaml")
        there = {path.name for path in (PACKAGING / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
        self.assertEqual(set(kustomization["resources"]), there)

    def test_labels_and_ports(self):
        service, = documents("service.yaml")
        labels = self.deployment["spec"]["template"]["metadata"]["labels"]
        for selector in (service["spec"]["selector"], self.deployment["spec"]["selector"]["matchLabels"],
                         self.budget["spec"]["selector"]["matchLabels"]):
            self.assertEqual(selector, labels)
        port, _ = self.container["ports"]
        published, = service["spec"]["ports"]
        self.assertEqual(published["targetPort"], port["name"])
        self.assertIn(f':{port["containerPort"]}"', self.config)

    def test_image(self):
        self.assertEqual(self.container["image"], f"postern:{version()}")
        security = self.container["securityContext"]
        self.assertTrue(security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"])
        user = self.pod["securityContext"]["runAsUser"]
        self.assertIn(f"USER {user}:", (PACKAGING / "container/Containerfile").read_text("utf-8"))

    def test_drain_ends_before_the_kill(self):
        drain_s = int(re.search(r"drain_timeout_ms: (\d+)", self.config).group(1)) / 1000
        sleep, seconds = self.container["lifecycle"]["preStop"]["exec"]["command"]
        self.assertEqual(sleep, "sleep")
        self.assertGreaterEqual(self.pod["terminationGracePeriodSeconds"], int(seconds) + drain_s + 10)

    def test_probe_and_prometheus_ask_the_metrics_address(self):
        _, port = self.container["ports"]
        self.assertIn(f'metrics_address: "0.0.0.0:{port["containerPort"]}"', self.config)
        self.assertEqual(self.container["readinessProbe"]["httpGet"], {"path": "/healthz", "port": port["name"]})
        self.assertNotIn("livenessProbe", self.container)
        annotations = self.deployment["spec"]["template"]["metadata"]["annotations"]
        self.assertEqual(annotations, {"prometheus.io/scrape": "true", "prometheus.io/path": "/metrics",
                                       "prometheus.io/port": str(port["containerPort"])})

    def test_configuration(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="deploy_", dir=os.environ.get("TEST_TMPDIR")))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        # Every volume becomes a folder with what the comments of kustomization.yaml put there.
        mounts = {mount["name"]: mount["mountPath"] for mount in self.container["volumeMounts"]}
        self.assertEqual(set(mounts), {volume["name"] for volume in self.pod["volumes"]})
        for name in mounts:
            (folder / name).mkdir()
        for command in (["root", f"--out={folder}/clients/clients-ca", "--cn=Clients"],
                        ["server", f"--ca={folder}/clients/clients-ca", f"--out={folder}/server/tls", "--dns=a.test"]):
            subprocess.run([CA, *command], check=True, capture_output=True, timeout=60)
        text = self.config.replace("app.default.svc.cluster.local", "127.0.0.1")
        argument, = self.container["args"]
        flag, _, path = argument.partition("=")
        self.assertEqual((flag, path), ("--config", mounts["config"] + "/postern.textproto"))
        for name, mounted in mounts.items():
            text = text.replace(mounted + "/", f"{folder / name}/")
        (folder / "config/postern.textproto").write_text(text, "utf-8")
        result = subprocess.run([POSTERN, f"--config={folder}/config/postern.textproto", "--check_config"],
                                capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, "postern: the configuration is good\n"))


class DashboardTest(unittest.TestCase):
    def setUp(self):
        self.dashboard = json.loads((PACKAGING / "grafana/postern.json").read_text("utf-8"))
        self.panels = self.dashboard["panels"]
        self.metrics = documented_metrics()

    def expressions(self):
        for panel in self.panels:
            for target in panel.get("targets", []):
                yield panel["title"], target["expr"], target["legendFormat"]

    def test_metrics_and_labels(self):
        used = set()
        for title, expression, legend in self.expressions():
            names = set(re.findall(r"postern_\w+", expression))
            self.assertTrue(names, title)
            labels = {"instance"}
            for name in names:
                metric = re.sub(r"_(bucket|sum|count)$", "", name)
                self.assertIn(metric, self.metrics, title)
                kind, own = self.metrics[metric]
                self.assertEqual(metric != name, kind == "histogram", title)
                labels |= own | ({"le"} if kind == "histogram" else set())
                used.add(metric)
            wanted = set(re.findall(r'(\w+)(?:=~?|!=)"', expression))
            for group in re.findall(r"by \(([^)]*)\)", expression):
                wanted |= set(re.split(r",\s*", group))
            wanted |= set(re.findall(r"{{(\w+)}}", legend))
            self.assertLessEqual(wanted, labels, title)
            self.assertEqual(expression.count("("), expression.count(")"), title)
            self.assertIn('instance=~"$instance"', expression, title)
        self.assertEqual(set(self.metrics) - used, NOT_SHOWN, "every other metric is on the dashboard")

    def test_counters_are_rates(self):
        for title, expression, _ in self.expressions():
            for name in re.findall(r"postern_\w+", expression):
                if self.metrics.get(name, ("",))[0] != "counter":
                    continue
                self.assertRegex(expression, rf"(rate|increase)\({name}{{[^}}]*}}\[\$__rate_interval\]\)", title)

    def test_layout(self):
        ids = [panel["id"] for panel in self.panels]
        self.assertEqual(len(ids), len(set(ids)))
        for panel in self.panels:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
        for a, b in itertools.combinations([panel["gridPos"] for panel in self.panels], 2):
            apart = (a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"] or
                     a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"])
            self.assertTrue(apart, (a, b))

    def test_variables(self):
        text = json.dumps(self.dashboard)
        names = {variable["name"] for variable in self.dashboard["templating"]["list"]}
        self.assertEqual(set(re.findall(r"\$\{?(\w+)", text)) - {"__rate_interval", "__all"}, names)


if __name__ == "__main__":
    unittest.main(verbosity=2)
