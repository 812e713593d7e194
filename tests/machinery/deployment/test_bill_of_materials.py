"""The bill of materials lists what the image says it holds, and the model and its data."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from mlops.core.paths import write_json
from mlops.deployment import bill_of_materials
from mlops.deployment.bill_of_materials import describe_release, write_bill
from mlops.deployment.release import SBOM, Release

import artifacts
import releases

CONTENTS = {
    "python": [
        {"name": "Typing_Extensions", "version": "4.15.0", "licence": "PSF-2.0"},
        {"name": "zope.interface", "version": "7.2", "licence": ""},
    ],
    "debian": [{"package": "libstdc++6", "version": "12.2.0-14", "architecture": "amd64"}],
    "system": {"name": "debian", "version": "12"},
    "interpreter": "3.11.9",
}


@pytest.fixture(autouse=True)
def release(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    artifacts.project(tmp_path)
    write_json(Path("models/choice.json"), artifacts.CHOICE)
    write_json(Path("reports/metrics.json"), {"roc_auc": 0.7134, "value": None})
    return releases.release()


def components(bill):
    return {component["bom-ref"]: component for component in bill["components"]}


def test_packages_are_named_as_their_registries_name_them(release):
    listed = components(describe_release(release, CONTENTS))
    assert set(listed) == {
        "model",
        "data",
        "system",
        "pkg:generic/python@3.11.9",
        "pkg:pypi/typing-extensions@4.15.0",
        "pkg:pypi/zope-interface@7.2",
        "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=debian-12",
    }
    assert listed["pkg:pypi/typing-extensions@4.15.0"]["licenses"] == [{"expression": "PSF-2.0"}]


def test_the_model_has_its_card_and_depends_on_its_data(release):
    bill = describe_release(release, CONTENTS)
    model, data = components(bill)["model"], components(bill)["data"]
    assert model["hashes"] == [{"alg": "SHA-256", "content": release.model_sha256}]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert [metric["type"] for metric in metrics] == ["roc_auc"]
    assert data["version"] == release.data_version
    assert {"ref": "model", "dependsOn": ["data"]} in bill["dependencies"]


def test_a_bill_is_by_the_schema(release):
    schema = pytest.importorskip("cyclonedx.schema")
    validation = pytest.importorskip("cyclonedx.validation.json")
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str(json.dumps(describe_release(release, CONTENTS))) is None


@pytest.mark.skipif(sys.platform != "linux", reason="an image is a Linux, and says which")
def test_an_image_lists_itself_and_the_release_names_the_bill(release, monkeypatch):
    """Here the Python beside the packages runs what an image's would."""
    python = Path(typer.__file__).parents[4] / "bin/python"

    def docker(*command):
        assert release.image in command
        return subprocess.run([python, *command[-2:]], capture_output=True, check=True).stdout

    monkeypatch.setattr(bill_of_materials, "docker", docker)
    release.write()
    write_bill()
    names = {name.partition("@")[0] for name in components(json.loads(SBOM.read_text()))}
    assert {"pkg:generic/python", "pkg:pypi/pytest", "pkg:pypi/typer"} <= names
    Release.read().check_sbom()
