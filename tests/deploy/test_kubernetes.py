"""deploy/kubernetes: the shape of the manifests, since no cluster runs where the tests do."""

import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.deploy.files import DEPLOY, documents, judged, manifests, of_kind, settings_of, substituted

PARTS = ("api", "engine", "executor")
WORKLOADS = {**of_kind("Deployment"), **of_kind("StatefulSet")}


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    return workload["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def environment(part: str) -> dict[str, str]:
    """What the container sees, secrets in place of their references."""
    (container,) = pod(WORKLOADS[f"ostro-{part}"])["containers"]
    found = {}
    for source in container["envFrom"]:
        found.update(of_kind("ConfigMap")[source["configMapRef"]["name"]]["data"])
    for variable in container["env"]:
        reference = variable.get("valueFrom", {}).get("secretKeyRef", {}).get("key")
        made_up = {"url": "postgresql://ostro:secret@db/ostro", "secret-key": "key"}
        found[variable["name"]] = variable.get("value") or made_up.get(reference, "secret")
    return {name: substituted(value, found) for name, value in found.items()}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_has_settings_that_ostro_takes(part: str) -> None:
    settings = settings_of(environment(part))
    assert settings.roles == (part,)
    assert settings.auth == "token"


def test_executors_have_no_way_into_the_database() -> None:
    assert "OSTRO_DATABASE" not in environment("executor")


@pytest.mark.parametrize("part", ["api", "engine"])
def test_all_that_use_the_database_have_the_same_key_file(part: str) -> None:
    spec = pod(WORKLOADS[f"ostro-{part}"])
    (mount,) = [mount for mount in spec["containers"][0]["volumeMounts"] if mount["name"] == "keys"]
    (volume,) = [volume for volume in spec["volumes"] if volume["name"] == "keys"]
    (item,) = volume["secret"]["items"]
    assert environment(part)["OSTRO_KEY_FILE"] == f"{mount['mountPath']}/{item['path']}"
    assert volume["secret"]["secretName"] == "ostro-keys"


@pytest.mark.parametrize("part", PARTS)
def test_no_variables_of_services_get_in_the_way(part: str) -> None:
    """A service called "ostro" would set OSTRO_PORT=tcp://..."""
    assert pod(WORKLOADS[f"ostro-{part}"])["enableServiceLinks"] is False


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_container_has_probes_resources_and_no_rights(name: str) -> None:
    spec = pod(WORKLOADS[name])
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)
        ports = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            (check,) = (container[probe][kind] for kind in ("httpGet", "tcpSocket") if kind in container[probe])
            assert check["port"] in ports
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        claims = {claim["metadata"]["name"] for claim in WORKLOADS[name]["spec"].get("volumeClaimTemplates", ())}
        assert mounted == {volume["name"] for volume in spec["volumes"]} | claims


@pytest.mark.parametrize("name", WORKLOADS)
def test_pods_have_the_labels_that_select_them(name: str) -> None:
    workload = WORKLOADS[name]
    selector = workload["spec"]["selector"]["matchLabels"]
    labels = workload["spec"]["template"]["metadata"]["labels"]
    assert selector.items() <= labels.items()
    others = [other for other in WORKLOADS if other != name]
    for other in others:
        assert not selector.items() <= WORKLOADS[other]["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_disruption_budget_lets_one_go_at_a_time_and_drains_end(name: str) -> None:
    """Never 0: nodes could not be drained."""
    budget = of_kind("PodDisruptionBudget")[name]
    assert budget["spec"]["selector"] == WORKLOADS[name]["spec"]["selector"]
    assert budget["spec"]["maxUnavailable"] in (1, "25%")


@pytest.mark.parametrize("part", PARTS)
def test_a_pod_gets_the_time_that_a_clean_stop_takes(part: str) -> None:
    spec = pod(WORKLOADS[f"ostro-{part}"])
    assert spec["terminationGracePeriodSeconds"] > settings_of(environment(part)).drain + 10


def test_services_and_policies_select_pods_that_exist() -> None:
    labels = [workload["spec"]["template"]["metadata"]["labels"] for workload in WORKLOADS.values()]
    selectors = [service["spec"]["selector"] for service in of_kind("Service").values()]
    selectors += [policy["spec"]["podSelector"]["matchLabels"] for policy in of_kind("NetworkPolicy").values()]
    assert len(selectors) >= 4
    for selector in selectors:
        assert any(selector.items() <= found.items() for found in labels), selector


def test_the_page_says_which_secrets_have_to_be_made() -> None:
    comment = (DEPLOY / "kubernetes" / "config.yaml").read_text()
    names = set()
    for workload in WORKLOADS.values():
        for container in pod(workload)["containers"]:
            for variable in container["env"]:
                if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
                    names.add(reference["name"])
    assert names
    for name in names:
        assert f"secret generic {name} " in comment


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl here")
def test_kubectl_builds_the_same_objects() -> None:
    done = subprocess.run(["kubectl", "kustomize", str(DEPLOY / "kubernetes")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    built = {(found["kind"], found["metadata"]["name"]) for found in yaml.safe_load_all(done.stdout)}
    assert built == {(found["kind"], found["metadata"]["name"]) for found in manifests()}


@pytest.mark.parametrize("file", documents(DEPLOY / "kubernetes" / "kustomization.yaml")[0]["resources"])
def test_manifests_keep_to_kubernetes_own_schemas(file: str) -> None:
    judged("kubernetes-validate", "pip install kubernetes-validate", "--strict", f"kubernetes/{file}")
