"""Signatures by OpenSSH: offline, and against the keys that deploy/allowed_signers names."""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from ..core.errors import UserError
from .release import RELEASE, SIGNATURE, Release

SIGNERS = Path("deploy/allowed_signers")
NAMESPACE = "release"  # a signature for something else is none for this
KEY = "SIGNING_KEY"


def sign() -> list[str]:
    """Sign the release with the private key in SIGNING_KEY; returns lines to print."""
    Release.read().check_sbom()
    key = os.environ.get(KEY)
    if not key:
        raise UserError(f"{KEY} is not set: it holds the private key, as ssh-keygen makes it.")
    with TemporaryDirectory() as folder:
        file = Path(folder, "key")
        file.touch(mode=0o600)
        file.write_text(f"{key.strip()}\n", encoding="utf-8")
        SIGNATURE.unlink(missing_ok=True)
        done = ssh_keygen("sign", "-f", str(file), str(RELEASE))
    if done.returncode:
        raise UserError(f"{KEY} is no private key, or asks for a passphrase: make one without.")
    return [f"{RELEASE}: signed, see {SIGNATURE}", *verify()[:1]]


def verify() -> list[str]:
    """Who signed the release, and its image; returns these lines.

    Raises UserError unless someone in deploy/allowed_signers did, for exactly these bytes and
    this bill of materials.
    """
    release = Release.read()
    if not SIGNATURE.exists():
        raise UserError(f"{RELEASE} is not signed: 'deploy sign' does it.")
    known = ["-s", str(SIGNATURE), "-f", str(SIGNERS)]
    found = ssh_keygen("find-principals", *known)
    signer = found.stdout.partition("\n")[0]
    done = ssh_keygen("verify", *known, "-I", signer, text=RELEASE.read_text(encoding="utf-8"))
    if not signer:
        raise UserError(
            f"{RELEASE} is signed by nobody whom {SIGNERS} names: do not deploy it, or add the "
            "line of the key that 'deploy sign' used."
        )
    if done.returncode:
        raise UserError(
            f"{RELEASE} is not as {signer} signed it, somebody changed it: do not deploy it; make "
            "a new one with 'deploy build'."
        )
    release.check_sbom()
    return [f"signed by {signer}", release.image]


def ssh_keygen(job: str, *options: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    command = ["ssh-keygen", "-Y", job, "-n", NAMESPACE, *options]
    try:
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise UserError("ssh-keygen is not installed: it comes with OpenSSH 8.2.") from error
