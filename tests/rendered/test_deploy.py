"""What is rendered under deploy/ is valid, and gives nobody more rights than it needs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from copier import run_copy, run_update

from support import ROOT, Answers, Render, commit, git, run

DASK = {"scale": "dask", "package": "late_trains", "organisation": "Zeta"}
SERVICE = {"deploy": "kubernetes"}
BOTH = {**DASK, **SERVICE, "mlflow": "server", "mlflow_uri": "http://mlflow.zeta.example:5000/a"}
LONG: Answers = {**SERVICE, "package": "a" * 14 + "__" + "b" * 14, "mlflow": "server"}
SECURED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
Objects = list[dict[str, Any]]


@pytest.fixture(scope="module")
def build(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What kubectl would send to a cluster for a folder of deploy/k8s; valid or it fails."""

    def built(answers: Answers, folder: str) -> Objects:
        project = render(answers)
        text = run("kubectl", "kustomize", project / "deploy/k8s" / folder, cwd=ROOT).stdout
        manifests = tmp_path_factory.mktemp("manifests") / "all.yaml"
        manifests.write_text(text, encoding="utf-8")
        run("kubernetes-validate", "--strict", manifests, cwd=ROOT)
        return list(yaml.safe_load_all(text))

    return built


@pytest.fixture(scope="module")
def cluster(build: Any) -> Objects:
    return build(DASK, "dask")


@pytest.fixture(scope="module")
def production(build: Any) -> Objects:
    return build(BOTH, "overlays/production")


@pytest.fixture(scope="module")
def staging(build: Any) -> Objects:
    return build(BOTH, "overlays/staging")


def one(built: Objects, kind: str) -> dict[str, Any]:
    [manifest] = [each for each in built if each["kind"] == kind]
    return manifest


def pods(built: Objects) -> Objects:
    return [each["spec"]["template"] for each in built if each["kind"] == "Deployment"]


def environment(pod: dict[str, Any]) -> dict[str, Any]:
    """The variables of a pod that come from elsewhere, and from where."""
    entries = pod["spec"]["containers"][0]["env"]
    return {entry["name"]: entry["valueFrom"]["secretKeyRef"] for entry in entries}


@pytest.mark.parametrize("answers", [SERVICE, LONG], ids=["defaults", "long names"])
@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_the_manifests_keep_kubernetes_schema(build: Any, answers: Answers, overlay: str) -> None:
    assert {"Deployment", "Service"} <= {
        each["kind"] for each in build(answers, f"overlays/{overlay}")
    }


def test_all_lie_in_a_namespace_of_their_own_which_is_restricted(
    cluster: Objects, staging: Objects, production: Objects
) -> None:
    names = ("late-trains", "late-trains-staging", "late-trains-production")
    for name, built in zip(names, (cluster, staging, production), strict=True):
        space = one(built, "Namespace")
        assert space["metadata"]["name"] == name
        assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
        assert {o["metadata"]["namespace"] for o in built if o is not space} == {name}


def test_a_pod_has_no_more_rights_than_it_needs(cluster: Objects, production: Objects) -> None:
    assert (len(pods(cluster)), len(pods(production))) == (2, 1)
    for pod in (*pods(cluster), *pods(production)):
        spec = pod["spec"]
        [container] = spec["containers"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 10_000
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == SECURED
        assert {*container["resources"]["limits"]} == {*container["resources"]["requests"]}
        assert re.fullmatch(
            r"registry\.zeta\.example/late_trains[a-z-]*:0\.1\.0", container["image"]
        )
        assert container["readinessProbe"]


def test_only_the_project_s_pods_reach_the_cluster(cluster: Objects) -> None:
    policy = one(cluster, "NetworkPolicy")
    ours = {"app.kubernetes.io/part-of": "late-trains"}
    [allowed] = policy["spec"]["ingress"]
    assert allowed["from"] == [{"podSelector": {"matchLabels": ours}}]
    [chosen] = policy["spec"]["podSelector"]["matchExpressions"]
    listened = set()
    for pod in pods(cluster):
        labels = pod["metadata"]["labels"]
        assert ours.items() <= labels.items()
        assert labels[chosen["key"]] in chosen["values"]
        ports = pod["spec"]["containers"][0]["ports"]
        listened |= {port["containerPort"] for port in ports}
    assert {port["port"] for port in allowed["ports"]} == listened


def test_workers_find_the_scheduler(cluster: Objects) -> None:
    service = one(cluster, "Service")
    [port] = service["spec"]["ports"]
    address = f"tcp://{service['metadata']['name']}:{port['port']}"
    scheduler, worker = sorted(pods(cluster), key=lambda pod: "worker" in str(pod["metadata"]))
    assert address in worker["spec"]["containers"][0]["command"]
    selected = service["spec"]["selector"]
    assert selected.items() <= scheduler["metadata"]["labels"].items()


def test_all_that_is_about_the_service_finds_its_pods(production: Objects) -> None:
    [pod] = pods(production)
    labels = pod["metadata"]["labels"]
    [port] = pod["spec"]["containers"][0]["ports"]
    assert one(production, "Service")["spec"]["selector"].items() <= labels.items()
    assert one(production, "Service")["spec"]["ports"][0]["targetPort"] == port["name"]
    for kind, selector in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        chosen = one(production, kind)["spec"][selector]["matchLabels"]
        assert chosen.items() <= labels.items(), kind
    target = one(production, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert target["name"] == one(production, "Deployment")["metadata"]["name"]


def test_the_paths_asked_and_the_port_are_the_service_s(
    render: Render, production: Objects
) -> None:
    serving = render(BOTH) / "src/mlops/serving"
    app, options = ((serving / f"{name}.py").read_text() for name in ("app", "options"))
    [pod] = pods(production)
    container, notes = pod["spec"]["containers"][0], pod["metadata"]["annotations"]
    port = container["ports"][0]["containerPort"]
    assert f"    port: int = Field({port}, " in options
    assert notes["prometheus.io/port"] == str(port)
    probes = [container[name]["httpGet"] for name in ("startupProbe", "readinessProbe")]
    assert [probe["path"] for probe in probes] == ["/readyz", "/readyz"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    for path in ("/readyz", "/healthz", notes["prometheus.io/path"]):
        assert f'@app.get("{path}")' in app


def test_a_pod_that_goes_finishes_what_it_took(render: Render, production: Objects) -> None:
    server = (render(BOTH) / "src/mlops/serving/server.py").read_text()
    grace = int(re.search(r"^GRACE = (\d+)", server, re.MULTILINE)[1])
    [pod] = pods(production)
    [container] = pod["spec"]["containers"]
    asleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    journal = 10  # a last try to connect, and to write what waits
    assert pod["spec"]["terminationGracePeriodSeconds"] >= asleep + grace + journal
    rolling = one(production, "Deployment")["spec"]["strategy"]["rollingUpdate"]
    assert rolling == {"maxSurge": 1, "maxUnavailable": 0}


def test_production_outlives_a_node_and_staging_is_small(
    staging: Objects, production: Objects
) -> None:
    replicas = [one(b, "HorizontalPodAutoscaler")["spec"] for b in (staging, production)]
    assert [(r["minReplicas"], r["maxReplicas"]) for r in replicas] == [(1, 2), (2, 10)]
    for built in (staging, production):
        assert "replicas" not in one(built, "Deployment")["spec"]  # the autoscaler's to say
        assert one(built, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_secrets_are_only_named_and_what_fails_open_is_required(production: Objects) -> None:
    named = environment(pods(production)[0])
    assert {*named} == {"JOURNAL_URL", "API_KEY", "ADMIN_KEY"}
    assert all(reference["key"] == name for name, reference in named.items())
    assert [name for name in named if named[name].get("optional")] == ["ADMIN_KEY"]
    assert not [each for each in production if each["kind"] == "Secret"]
    assert one(production, "ConfigMap")["data"] == {
        "LOG_LEVEL": "info",
        "MLFLOW_TRACKING_URI": "http://mlflow.zeta.example:5000/a",
    }


def test_every_variable_is_one_of_the_service_s(render: Render, production: Objects) -> None:
    options = (render(BOTH) / "src/mlops/serving/options.py").read_text()
    given = {*environment(pods(production)[0]), *one(production, "ConfigMap")["data"]}
    for name in given - {"MLFLOW_TRACKING_URI"}:
        assert f"    {name.lower()}: " in options, name


@pytest.mark.parametrize(
    ("answers", "registry"),
    [
        (SERVICE, set()),
        (BOTH, {5000}),
        (LONG, {443}),
        ({**SERVICE, "mlflow": "server", "mlflow_uri": "http://mlflow.example"}, {80}),
    ],
    ids=["embedded", "port", "https", "http"],
)
def test_the_service_is_asked_by_few_and_asks_its_databases(
    build: Any, answers: Answers, registry: set[int]
) -> None:
    policy = one(build(answers, "overlays/production"), "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    [allowed] = policy["ingress"]
    inside, labelled = allowed["from"]
    assert inside == {"podSelector": {}}
    [label] = labelled["namespaceSelector"]["matchLabels"]
    assert label.endswith("/may-ask")
    assert [port["port"] for port in allowed["ports"]] == [8000]
    asked = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
    assert asked == {53, 5432} | registry


def test_the_commands_of_the_readme_are_true(render: Render, tmp_path: Path) -> None:
    """No cluster is here: paths, names and what kubectl can judge by itself."""
    project = render(BOTH)
    readme = (project / "deploy/README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^kubectl .*$", readme.partition("## On Kubernetes")[2], re.MULTILINE)
    verbs = [command.split()[1] for command in commands]
    assert verbs == ["apply", "create", "label", "rollout"]
    for folder in re.findall(r"--kustomize (\S+)", readme):
        assert (project / folder / "kustomization.yaml").is_file()
    pushed = re.findall(r"^docker push (\S+)$", readme, re.MULTILINE)
    overlay = yaml.safe_load(
        (project / "deploy/k8s/overlays/staging/kustomization.yaml").read_text()
    )
    assert pushed == [f"{image['newName']}:{image['newTag']}" for image in overlay["images"]]
    assert re.findall(r" deploy up (\S+)$", readme, re.MULTILINE)[-1:] == pushed
    spaces = {space for command in commands for space in re.findall(r"--namespace (\S+)", command)}
    assert spaces == {"late-trains-staging"}
    (tmp_path / "staging.env").write_text("API_KEY=one\nADMIN_KEY=two\nJOURNAL_URL=three\n")
    create = next(command for command in commands if " create " in command)
    shown = run(*create.split(), "--dry-run=client", "--output=yaml", cwd=tmp_path).stdout
    assert yaml.safe_load(shown)["metadata"]["name"] == "api"
    assert {*yaml.safe_load(shown)["data"]} == {"API_KEY", "ADMIN_KEY", "JOURNAL_URL"}


def test_all_that_a_delivery_takes_from_the_code_host_is_told(render: Render) -> None:
    taken, told = set(), set()
    for answers in ({}, SERVICE):
        project = render(answers)
        for name in ("cd", "rollback"):
            text = (project / f".github/workflows/{name}.yml").read_text(encoding="utf-8")
            taken |= {*re.findall(r"\b(?:secrets|vars)\.(\w+)", text)}
        for page in ("docs/guide/team.md", "deploy/README.md"):
            told |= {*re.findall(r"`([A-Z_]+)", (project / page).read_text(encoding="utf-8"))}
    assert len(taken) > 20
    assert taken <= told, taken - told


def test_what_was_measured_and_deployed_survives_an_update(template: Path, tmp_path: Path) -> None:
    """The environments and the measured resources are the team's; the base is the platform's."""
    project, platform = tmp_path / "project", tmp_path / "platform"
    git(tmp_path, "clone", "--quiet", str(template), "platform")
    run_copy(str(platform), project, data=SERVICE, defaults=True, quiet=True)
    team = {
        "deploy/k8s/base/resources.yaml": ("100m", "730m"),
        "deploy/k8s/overlays/production/kustomization.yaml": ("newTag: 0.1.0", "newTag: 7.0.0"),
    }
    for name, change in team.items():
        edit(project / name, *change)
    commit(project)
    for path in (platform / "template").rglob("*.yaml*"):
        if "k8s" in str(path.relative_to(platform)):
            path.write_text("# The platform's news\n" + path.read_text())
    commit(platform, tag="v9.0.0")
    run_update(project, defaults=True, overwrite=True, quiet=True)
    for name, (_, new) in team.items():
        text = (project / name).read_text()
        assert new in text
        assert "news" not in text
    assert "news" in (project / "deploy/k8s/base/deployment.yaml").read_text()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
