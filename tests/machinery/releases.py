"""A release as `deploy build` writes it, for tests of what is done with it."""

import shutil
import subprocess

import pytest
from mlops.core.paths import sha256, write_json
from mlops.deployment.release import SBOM, Release

IMAGE = "registry.acme.example/flights@sha256:" + 64 * "a"


def release(**change):
    content = {
        "image": IMAGE,
        "commit": 40 * "c",
        "model_version": 3,
        "model_sha256": 64 * "b",
        "data_version": 32 * "d" + ".dir",
        "built": "2014-01-01T00:00:00+00:00",
    }
    return Release(**content | change)


def listed():
    """A release with its bill of materials, written down here."""
    write_json(SBOM, {"components": []})
    made = release(sbom_sha256=sha256(SBOM))
    made.write()
    return made


def key(folder, name="key"):
    """The private key, and the line of its public one; without OpenSSH the test is skipped."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed (openssh-client)")
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
    subprocess.run(make, check=True)
    return (folder / name).read_text(), (folder / f"{name}.pub").read_text()
