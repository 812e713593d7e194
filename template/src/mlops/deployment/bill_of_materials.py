"""`deploy sbom`: what is in a release, as CycloneDX 1.6.

The image itself is asked for its packages, so that nothing is listed that is not there. The model
is a component with its card, and the data it learned from another, which the model depends on.
"""

import json
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from ..core.formatting import score
from ..core.paths import CHOICE, METRICS, read_json, sha256, write_json
from ..core.problem import Problem
from ..core.team import read_package_name
from ..data.contract import Contract
from .docker import docker
from .release import RELEASE, SBOM, Release

Component = dict[str, Any]
"""As the schema of CycloneDX has it."""
CONTENTS = Path(__file__).with_name("image_contents.py")
IMAGE, MODEL, DATA = "image", "model", "data"


class ImageContents(TypedDict):
    """What image_contents.py prints.

    `python` has name, version and licence of each package, `debian` package, version and
    architecture, `system` name and version; `interpreter` is Python's version.
    """

    python: list[dict[str, str]]
    debian: list[dict[str, str]]
    system: dict[str, str]
    interpreter: str


def write_bill() -> list[str]:
    """Write the bill of materials of the release, and its hash into the release; returns lines."""
    release = Release.read()
    bill = describe_release(release, read_contents(release.image))
    write_json(SBOM, bill)
    release.model_copy(update={"sbom_sha256": sha256(SBOM)}).write()
    return [f"{SBOM}: {len(bill['components'])} components; {RELEASE} names it by its hash"]


def read_contents(image: str) -> ImageContents:
    """Run an image, without a network, to list what it holds."""
    program = CONTENTS.read_text(encoding="utf-8")
    alone = ["--rm", "--network=none", "--read-only", "--cap-drop=ALL", "--entrypoint=python"]
    contents: ImageContents = json.loads(docker("run", *alone, image, "-c", program))
    return contents


def describe_release(release: Release, contents: ImageContents) -> dict[str, Any]:
    """Make the whole bill. The same release gives the same bill, to the last byte."""
    components = [
        describe_model(release),
        describe_data(release),
        *describe_base(contents),
        *describe_packages(contents),
    ]
    names = [component["bom-ref"] for component in components]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid5(NAMESPACE_URL, release.image).urn,
        "version": 1,
        "metadata": {
            "timestamp": release.built,
            "lifecycles": [{"phase": "build"}],
            "component": describe_image(release),
        },
        "components": components,
        "dependencies": [
            {"ref": IMAGE, "dependsOn": [name for name in names if name != DATA]},
            {"ref": MODEL, "dependsOn": [DATA]},
        ],
    }


def describe_image(release: Release) -> Component:
    """Describe the image, the component that holds all others."""
    digest = release.image.rpartition("sha256:")[2]
    return {
        "type": "container",
        "bom-ref": IMAGE,
        "name": release.image.partition("@")[0],
        "version": release.commit,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def describe_model(release: Release) -> Component:
    """Describe the model and its card: the decision it is for, its data, and how good it is."""
    decision, task = Problem.read().decision, Contract.load().task
    metrics = read_json(METRICS)
    scores = {name: score(value) for name, value in metrics.items() if value is not None}
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": read_package_name(),
        "version": str(release.model_version),
        "description": decision,
        "hashes": [{"alg": "SHA-256", "content": release.model_sha256}],
        "modelCard": {
            "modelParameters": {
                "approach": {"type": "supervised"},
                "task": "regression" if task == "regression" else "classification",
                "modelArchitecture": read_json(CHOICE)["candidate"],
                "datasets": [{"ref": DATA}],
            },
            "quantitativeAnalysis": {
                "performanceMetrics": [
                    {"type": name, "value": value} for name, value in scores.items()
                ]
            },
            "considerations": {"useCases": [decision]},
        },
    }


def describe_data(release: Release) -> Component:
    """Describe the table; its version is DVC's hash of the files as they were delivered."""
    contract, owner = Contract.load(), Problem.read().owners.data_engineer
    version = release.data_version or ""
    return {
        "type": "data",
        "bom-ref": DATA,
        "name": contract.id,
        "version": version,
        "hashes": [{"alg": "MD5", "content": version.removesuffix(".dir")}] if version else [],
        "data": [
            {
                "type": "dataset",
                "name": contract.id,
                "governance": {"owners": [{"organization": {"name": owner}}]},
            }
        ],
    }


def describe_base(contents: ImageContents) -> list[Component]:
    """Describe the operating system and the interpreter."""
    python = contents["interpreter"]
    return [
        {"type": "operating-system", "bom-ref": "system", **contents["system"]},
        describe_library("python", python, f"pkg:generic/python@{python}"),
    ]


def describe_packages(contents: ImageContents) -> list[Component]:
    """Describe the packages of Python, with their licences, and of the system."""
    system = contents["system"]["name"]
    release = f"{system}-{contents['system']['version']}"
    components = []
    for package in contents["python"]:
        name = package["name"].lower().replace("_", "-").replace(".", "-")
        purl = f"pkg:pypi/{name}@{package['version']}"
        licences = [{"expression": package["licence"]}] if package["licence"] else []
        component = describe_library(package["name"], package["version"], purl)
        components.append(component | {"licenses": licences})
    for package in contents["debian"]:
        name, version = package["package"], package["version"]
        query = f"arch={package['architecture']}&distro={release}"
        purl = f"pkg:deb/{system}/{quote(name)}@{quote(version)}?{query}"
        components.append(describe_library(name, version, purl))
    return components


def describe_library(name: str, version: str, purl: str) -> Component:
    """Describe a package, known by its package URL."""
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
