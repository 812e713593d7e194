"""Signatures by OpenSSH: offline, and against the keys that deploy/allowed_signers names."""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from ..core.errors import UserError
from .access import SIGNING, write_secret
from .release import RELEASE, SIGNATURE, Release

SIGNERS = Path("deploy/allowed_signers")
NAMESPACE = "release"  # a signature for something else is none for this
KEY = SIGNING.name


def sign_release() -> list[str]:
    """Sign the release with the private key in SIGNING_KEY; returns lines to print.

    Raises UserError if there is none, or it is not one of those in deploy/allowed_signers.
    """
    Release.read().check_sbom()
    key = os.environ.get(KEY)
    if not key:
        raise UserError(f"{KEY} is not set: it holds the private key, as ssh-keygen makes it.")
    with TemporaryDirectory() as folder:
        file = write_secret(Path(folder, "key"), key)
        SIGNATURE.unlink(missing_ok=True)
        done = run_ssh_keygen("sign", "-f", str(file), str(RELEASE))
    if done.returncode:
        raise UserError(f"{KEY} is not a private key, or has a passphrase: make one without.")
    return [f"{RELEASE}: signed, see {SIGNATURE}", *verify_release()[:1]]


def verify_release() -> list[str]:
    """Verify the release; returns two lines, who signed it and its image.

    Raises UserError unless someone in deploy/allowed_signers signed exactly these bytes and this
    bill of materials.
    """
    release = Release.read()
    if not SIGNATURE.exists():
        raise UserError(f"{RELEASE} is not signed: 'deploy sign' does it.")
    known = ["-s", str(SIGNATURE), "-f", str(SIGNERS)]
    signer = run_ssh_keygen("find-principals", *known).stdout.partition("\n")[0]
    text = RELEASE.read_text(encoding="utf-8")
    done = run_ssh_keygen("verify", *known, "-I", signer, text=text)
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


def run_ssh_keygen(job: str, *options: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a job of `ssh-keygen -Y` with text as its input. Raises UserError if there is no such
    command.
    """
    command = ["ssh-keygen", "-Y", job, "-n", NAMESPACE, *options]
    try:
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise UserError("ssh-keygen is not installed: it comes with OpenSSH 8.2.") from error
