"""The image and the stack around it, as they are written: valid, closed, and without passwords.

The images of others are not run here: what they are told is checked by the schema of Compose, and
in test_monitoring.py by Prometheus and Alertmanager themselves.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import ROOT, Answers, Render, run

STACKS: list[Answers] = [
    {},
    {"journal": "postgresql"},
    {"mlflow": "server"},
    {"mlflow": "server", "journal": "postgresql", "package": "late_trains"},
]
RELEASES = {"blue", "green"}
IMAGES = [*STACKS, {"deploy": "kubernetes", "python_min": "3.13"}]
Services = dict[str, dict[str, Any]]


def name_of(answers: Answers) -> str:
    return "-".join(str(value) for value in answers.values()) or "defaults"


@pytest.fixture(scope="module", params=STACKS, ids=name_of)
def deploy(request: pytest.FixtureRequest, render: Render) -> Path:
    return render(request.param) / "deploy"


@pytest.fixture(scope="module")
def services(deploy: Path) -> Services:
    text = (deploy / "compose.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["services"]


@pytest.mark.parametrize("answers", IMAGES, ids=name_of)
def test_the_image_s_recipe_is_clean(render: Render, answers: Answers) -> None:
    project = render(answers)
    recipe = project / "deploy/Dockerfile"
    run("hadolint", "--failure-threshold", "style", recipe, cwd=ROOT)
    run("trivy", "config", "--quiet", "--skip-check-update", "--exit-code", "1", recipe, cwd=ROOT)
    text = recipe.read_text(encoding="utf-8")
    assert f"ARG PYTHON=python:{answers.get('python_min', '3.11')}-slim\n" in text
    assert "# syntax=" not in text


def test_a_deployment_has_its_own_files_only(render: Render) -> None:
    assert not (render({"deploy": "none"}) / "deploy").exists()
    cluster = render({"deploy": "kubernetes"}) / "deploy"
    assert (cluster / "Dockerfile").exists()
    assert not {path.name for path in cluster.glob("*")} & {"compose.yaml", "databases.sql"}


def test_the_stack_keeps_the_schema_of_compose(deploy: Path) -> None:
    schema = ["--builtin-schema", "vendor.compose-spec"]
    run("check-jsonschema", *schema, deploy / "compose.yaml", cwd=ROOT)


def test_nothing_has_more_rights_or_means_than_it_needs(services: Services) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["cpus"], name
        assert service["mem_limit"], name
        assert service["pids_limit"], name


def test_everything_starts_once_what_it_needs_is_healthy(services: Services) -> None:
    for name, service in services.items():
        assert name in RELEASES or service["healthcheck"]["test"][0] == "CMD", name
        for needed, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}, name
            assert needed in services
    assert {"proxy", "alertmanager"} == {*services["prometheus"]["depends_on"]}
    assert ("postgres" in services) == any("postgres" in str(s) for s in services.values())


def test_images_have_exact_tags_and_ports_are_this_host_s(services: Services) -> None:
    for name, service in services.items():
        if name not in RELEASES:
            assert re.search(r":v?\d+\.\d+(\.\d+)?(-\w+)?$", service["image"]), name
        for port in service.get("ports", []):
            assert port.removeprefix("${SERVICE_ADDRESS:-").startswith("127.0.0.1:"), name


def test_two_releases_are_alike_and_only_the_proxy_is_open(services: Services) -> None:
    assert services["blue"] == services["green"]
    assert "ports" not in services["blue"]
    asked = re.findall(
        r"^ +server (\w+) (\w+):8000$", services["proxy"]["environment"]["SETTINGS"], re.M
    )
    assert {name for pair in asked for name in pair} == RELEASES


def test_passwords_are_required_and_the_readme_makes_them(deploy: Path, services: Services) -> None:
    asked = set()
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            if "PASSWORD" in variable:
                [wanted] = re.findall(r"^\$\{(\w+)_PASSWORD:\?.{20,}\}$", value)
                asked.add(wanted)
            assert not re.search(r"://[^/@]*:[^/@]*@", str(value)), name
    readme = (deploy / "README.md").read_text(encoding="utf-8")
    [made] = re.findall(r"^for name in (.*); do$", readme, re.MULTILINE)
    assert {*made.split()} == asked


def test_every_setting_of_the_service_can_be_given(deploy: Path, services: Services) -> None:
    [options] = (deploy.parent / "src").glob("mlops/serving/options.py")
    fields = re.findall(
        r"^    (\w+): .* = Field", options.read_text(encoding="utf-8"), re.MULTILINE
    )
    # Where it listens inside, and where the journal is, follow from the stack.
    settings = {field.upper() for field in fields} - {"HOST", "PORT", "JOURNAL_URL"}
    assert len(settings) > 10
    assert settings <= {*services["blue"]["environment"]}


def test_files_and_volumes_that_are_mounted_are_there(deploy: Path, services: Services) -> None:
    stack = yaml.safe_load((deploy / "compose.yaml").read_text(encoding="utf-8"))
    mounted = [mount for service in services.values() for mount in service.get("volumes", [])]
    sources = {mount.split(":")[0] for mount in mounted}
    files = {source for source in sources if source.startswith("./")}
    later = {"./webhooks"}  # the team's, out of git
    assert later < files
    assert all((deploy / file).exists() for file in files - later)
    assert sources - files == {*stack["volumes"]}
    assert "/deploy/webhooks/" in (deploy.parent / ".gitignore").read_text(encoding="utf-8")


def test_prometheus_looks_at_the_stack(deploy: Path, services: Services) -> None:
    settings = yaml.safe_load((deploy / "monitoring/prometheus.yml").read_text(encoding="utf-8"))
    names = {path.name for path in (deploy.parent / "src").iterdir()}
    [package] = names - {"mlops"}
    ours, *others = settings["scrape_configs"]
    assert ours["job_name"] == package
    [targets] = ours["dns_sd_configs"]
    [name] = targets["names"]
    for release in RELEASES:  # whichever of them runs
        assert services[release]["networks"]["default"]["aliases"] == [name]
    jobs = {job["job_name"]: job["static_configs"][0]["targets"][0].split(":")[0] for job in others}
    assert jobs[f"{package}-watch"] in str(services["prometheus"]["extra_hosts"])
    assert {*jobs.values()} - {"host.docker.internal", "localhost"} <= {*services}
    assert settings["global"]["scrape_interval"] == "15s"
