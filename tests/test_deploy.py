"""What is rendered under deploy/ is valid, and gives nobody more rights than it needs."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, Render, run

CLUSTER = {"scale": "dask", "package": "late_trains", "organisation": "Zeta"}


@pytest.fixture(scope="module")
def manifests(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = render(CLUSTER) / "deploy/k8s/dask"
    built = tmp_path_factory.mktemp("manifests") / "dask.yaml"
    built.write_text(run("kubectl", "kustomize", folder, cwd=ROOT).stdout, encoding="utf-8")
    return built


@pytest.fixture(scope="module")
def built(manifests: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(manifests.read_text(encoding="utf-8")))


def pods(built: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one["spec"]["template"] for one in built if one["kind"] == "Deployment"]


def test_the_manifests_keep_kubernetes_schema(manifests: Path) -> None:
    run("kubernetes-validate", "--strict", manifests, cwd=ROOT)


def test_all_lie_in_the_project_s_namespace_which_is_restricted(built: list[dict]) -> None:
    [space] = [one for one in built if one["kind"] == "Namespace"]
    assert space["metadata"]["name"] == "late-trains"
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {o["metadata"]["namespace"] for o in built if o is not space} == {"late-trains"}


def test_a_pod_has_no_more_rights_than_it_needs(built: list[dict]) -> None:
    assert len(pods(built)) == 2
    for pod in pods(built):
        spec = pod["spec"]
        [container] = spec["containers"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 10_000
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert {*container["resources"]["limits"]} == {*container["resources"]["requests"]}
        assert container["image"] == "registry.zeta.example/late_trains:0.1.0"
        assert container["readinessProbe"]


def test_only_the_project_s_pods_reach_the_cluster(built: list[dict]) -> None:
    [policy] = [one for one in built if one["kind"] == "NetworkPolicy"]
    ours = {"app.kubernetes.io/part-of": "late-trains"}
    [allowed] = policy["spec"]["ingress"]
    assert allowed["from"] == [{"podSelector": {"matchLabels": ours}}]
    [chosen] = policy["spec"]["podSelector"]["matchExpressions"]
    listened = set()
    for pod in pods(built):
        labels = pod["metadata"]["labels"]
        assert ours.items() <= labels.items()
        assert labels[chosen["key"]] in chosen["values"]
        ports = pod["spec"]["containers"][0]["ports"]
        listened |= {port["containerPort"] for port in ports}
    assert {port["port"] for port in allowed["ports"]} == listened


def test_workers_find_the_scheduler(built: list[dict]) -> None:
    [service] = [one for one in built if one["kind"] == "Service"]
    [port] = service["spec"]["ports"]
    address = f"tcp://{service['metadata']['name']}:{port['port']}"
    scheduler, worker = sorted(pods(built), key=lambda pod: "worker" in str(pod["metadata"]))
    assert address in worker["spec"]["containers"][0]["command"]
    selected = service["spec"]["selector"]
    assert selected.items() <= scheduler["metadata"]["labels"].items()
