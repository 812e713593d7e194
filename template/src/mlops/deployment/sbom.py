"""`deploy sbom`: what is in a release, as CycloneDX 1.6.

The image itself is asked for its packages, so that nothing is listed that is not there. The model
is a component with its card, and the data it learned from another, which the model depends on.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from ..core.formatting import score
from ..core.paths import CHOICE, REPORTS, read_json, sha256, write_json
from ..core.problem import Problem
from ..core.team import package_name
from ..data.contract import Contract
from .docker import docker
from .release import RELEASE, SBOM, Release

Component = dict[str, Any]
CONTENTS = Path(__file__).with_name("contents.py")
IMAGE, MODEL, DATA = "image", "model", "data"


def write() -> list[str]:
    """Write the bill of materials of the release, and its hash into the release; returns lines."""
    release = Release.read()
    bill = document(release, held(release.image))
    write_json(SBOM, bill)
    release.model_copy(update={"sbom_sha256": sha256(SBOM)}).write()
    return [f"{SBOM}: {len(bill['components'])} components; {RELEASE} names it by its hash"]


def held(image: str) -> dict[str, Any]:
    """What the image says it holds; see contents.py."""
    program = CONTENTS.read_text(encoding="utf-8")
    alone = ["--rm", "--network=none", "--read-only", "--cap-drop=ALL", "--entrypoint=python"]
    return dict(json.loads(docker("run", *alone, image, "-c", program)))


def document(release: Release, contents: dict[str, Any]) -> dict[str, Any]:
    """The whole bill. The same release gives the same bill, to the last byte."""
    parts = [model(release), data(release), *system(contents), *packages(contents)]
    names = [part["bom-ref"] for part in parts]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid5(NAMESPACE_URL, release.image).urn,
        "version": 1,
        "metadata": {
            "timestamp": release.built,
            "lifecycles": [{"phase": "build"}],
            "component": image(release),
        },
        "components": parts,
        "dependencies": [
            {"ref": IMAGE, "dependsOn": [name for name in names if name != DATA]},
            {"ref": MODEL, "dependsOn": [DATA]},
        ],
    }


def image(release: Release) -> Component:
    digest = release.image.rpartition("sha256:")[2]
    return {
        "type": "container",
        "bom-ref": IMAGE,
        "name": release.image.partition("@")[0],
        "version": release.commit,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def model(release: Release) -> Component:
    """With its card: the decision it is for, what it learned from, and how good it is."""
    decision, task = Problem.read().decision, Contract.load().task
    metrics = read_json(REPORTS / "metrics.json")
    reached = {name: score(value) for name, value in metrics.items() if value is not None}
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": package_name(),
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
                    {"type": name, "value": value} for name, value in reached.items()
                ]
            },
            "considerations": {"useCases": [decision]},
        },
    }


def data(release: Release) -> Component:
    """The table; its version is DVC's hash of the files as they were delivered."""
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


def system(contents: dict[str, Any]) -> list[Component]:
    """The base: operating system and interpreter."""
    python = contents["interpreter"]
    return [
        {"type": "operating-system", "bom-ref": "system", **contents["system"]},
        library("python", python, f"pkg:generic/python@{python}"),
    ]


def packages(contents: dict[str, Any]) -> list[Component]:
    system = contents["system"]["name"]
    base = f"{system}-{contents['system']['version']}"
    found = []
    for each in contents["python"]:
        name = each["name"].lower().replace("_", "-").replace(".", "-")
        licences = [{"expression": each["licence"]}] if each["licence"] else []
        part = library(each["name"], each["version"], f"pkg:pypi/{name}@{each['version']}")
        found.append(part | {"licenses": licences})
    for each in contents["debian"]:
        name, version, kind = each["package"], each["version"], each["architecture"]
        place = f"pkg:deb/{system}/{quote(name)}@{quote(version)}?arch={kind}&distro={base}"
        found.append(library(name, version, place))
    return found


def library(name: str, version: str, purl: str) -> Component:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
