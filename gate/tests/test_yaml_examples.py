"""The examples for proxies that cannot run here: their YAML is well-formed and agrees with gate.toml."""

import itertools
import pathlib
import subprocess
import tempfile
import tomllib
import unittest

import yaml

from support import ROOT, TORII

EXAMPLES = pathlib.Path(ROOT, "examples/gate")
GATE = tomllib.loads((EXAMPLES / "gate.toml").read_text())
HEADERS = list(GATE["header"])


def ports(gate):
    """The ports that a configuration of the gate has for proxies."""
    return {int(place["listen"].rpartition(":")[2]) for place in (gate, *gate["route"])}


def spellings(name):
    """The names that a backend may take for this header: CGI does not distinguish `-` and `_`."""
    pieces = name.split("-")
    for separators in itertools.product("-_", repeat=len(pieces) - 1):
        yield pieces[0] + "".join(map("".join, zip(separators, pieces[1:])))


class Traefik(unittest.TestCase):
    def setUp(self):
        self.http = yaml.safe_load((EXAMPLES / "traefik/dynamic.yaml").read_text())["http"]

    def test_the_static_configuration_names_the_dynamic_one(self):
        static = yaml.safe_load((EXAMPLES / "traefik/traefik.yaml").read_text())
        self.assertEqual(static["providers"], {"file": {"filename": "dynamic.yaml"}})
        self.assertEqual(list(static["entryPoints"]), ["web"])

    def test_every_router_first_removes_the_identity_headers_of_the_client(self):
        wanted = {spelling: "" for name in HEADERS for spelling in spellings(name)}
        self.assertEqual(self.http["middlewares"]["no-identity"], {"headers": {"customRequestHeaders": wanted}})
        for name, router in self.http["routers"].items():
            first, *others = router["middlewares"]
            self.assertEqual(first, "no-identity", name)
            self.assertLessEqual({*others}, {*self.http["middlewares"]} - {"no-identity"}, name)
            self.assertIn(router["service"], self.http["services"], name)
            # Only the health check skips the gate.
            self.assertEqual((len(others), router["rule"] == "Path(`/healthz`)"),
                             (0, True) if name == "health" else (1, False), name)

    def test_each_middleware_copies_the_headers_of_the_gate(self):
        asked = [middleware["forwardAuth"] for name, middleware in self.http["middlewares"].items() if name != "no-identity"]
        for ask in asked:
            self.assertEqual(ask["authResponseHeaders"], HEADERS)
            self.assertEqual(ask["authRequestHeaders"], ["Authorization", "Cookie"])
            self.assertEqual(set(ask), {"address", "authResponseHeaders", "authRequestHeaders"})
        self.assertEqual({ask["address"] for ask in asked}, {f"http://127.0.0.1:{port}/" for port in ports(GATE)})


class IngressNginx(unittest.TestCase):
    def setUp(self):
        with open(EXAMPLES / "ingress-nginx/gate.yaml") as file:
            self.objects = list(yaml.safe_load_all(file))
        self.toml = self.only("ConfigMap")["data"]["gate.toml"]
        self.gate = tomllib.loads(self.toml)

    def only(self, kind):
        objects = [thing for thing in self.objects if thing["kind"] == kind]
        self.assertEqual(len(objects), 1, kind)
        return objects[0]

    def test_the_gate_accepts_its_configuration(self):
        self.assertEqual(self.gate["header"], GATE["header"])
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(self.toml)
            file.flush()
            checked = subprocess.run([TORII, "gate", "--check", "--config", file.name], capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))

    def test_the_port_for_operators_is_not_a_port_of_the_service(self):
        operators = int(self.gate["admin"].rpartition(":")[2])
        service = {port["port"] for port in self.only("Service")["spec"]["ports"]}
        self.assertEqual(service, ports(self.gate))
        pod = self.only("Deployment")["spec"]["template"]["spec"]
        container, = pod["containers"]
        named = {port["name"]: port["containerPort"] for port in container["ports"]}
        self.assertEqual(set(named.values()), service | {operators})
        for probe in ("livenessProbe", "readinessProbe"):
            self.assertEqual(named[container[probe]["httpGet"]["port"]], operators)
        # Variables of Kubernetes itself.
        self.assertIs(pod["enableServiceLinks"], False)

    def test_every_ingress_replaces_the_identity_headers(self):
        start = "nginx.ingress.kubernetes.io/auth-"
        name = self.only("Service")["metadata"]["name"]
        urls = set()
        for ingress in (thing for thing in self.objects if thing["kind"] == "Ingress"):
            annotations = ingress["metadata"]["annotations"]
            self.assertEqual(set(annotations), {f"{start}url", f"{start}response-headers"})
            self.assertEqual(annotations[f"{start}response-headers"].split(", "), HEADERS)
            urls.add(annotations[f"{start}url"])
            self.assertEqual(ingress["spec"]["ingressClassName"], "nginx")
        self.assertEqual(urls, {f"http://{name}.default.svc.cluster.local:{port}/" for port in ports(self.gate)})


if __name__ == "__main__":
    unittest.main()
