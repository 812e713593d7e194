"""Releases on Kubernetes: the overlay names the image, and the cluster exchanges it pod by pod.

A pod takes part once it is ready, and the old ones stop as the new ones come (deployment.yaml): no
request fails. A release that does not get ready, or is unfit, is undone. The cluster remembers what
was before (its ReplicaSets), and who deployed what (`kubectl rollout history`).
"""

import os
import re
import subprocess
from pathlib import Path

from ...core.errors import UserError
from ...core.paths import replacing
from ...core.strict_model import read_yaml
from ...records.writer import who
from ..check import Inside, check_release, version

OVERLAYS = Path("deploy/k8s/overlays")
WORKLOAD = "deployment/api"
PATIENCE = "180s"  # until all pods are those of the release
IMAGE = "jsonpath={.spec.template.spec.containers[0].image}"
CAUSE = r"jsonpath={.metadata.annotations.kubernetes\.io/change-cause}"
ROLLED_BACK = "rolled back"
ENTRY = r"^( *)- name: api\n(?:\1  \S.*\n)+"  # among the images of an overlay


class Cluster:
    """One environment in a cluster; all is done by the command `kubectl`."""

    def __init__(self, environment: str, context: str = "") -> None:
        """Raises UserError if there is no such overlay."""
        self.overlay = OVERLAYS / environment / "kustomization.yaml"
        if not self.overlay.exists():
            raise UserError(f"{self.overlay.parent} is not there: '{environment}' is no overlay.")
        self._where = ["--namespace", str(read_yaml(str(self.overlay))["namespace"])]
        self._where += ["--context", context] if context else []

    def kubectl(self, *command: str, stdin: bytes = b"") -> bytes:
        """What it prints. Raises UserError with the last line of what it says if it fails."""
        whole = ["kubectl", *self._where, *command]
        try:
            done = subprocess.run(whole, input=stdin, capture_output=True, check=False)
        except FileNotFoundError as error:
            raise UserError("There is no command 'kubectl' here: install it.") from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines() or ["it failed"]
            raise UserError(f"kubectl {command[0]}: {said[-1]}")
        return done.stdout

    def image(self) -> str:
        """That of the release in use; "" if there is none."""
        return self.told(IMAGE)

    def told(self, what: str) -> str:
        asked = ["get", WORKLOAD, "--ignore-not-found", f"--output={what}"]
        return self.kubectl(*asked).decode().strip()

    def inside(self, *words: str, stdin: bytes = b"") -> bytes:
        """Runs a command in a pod of the release."""
        pod = ["exec", "--stdin", WORKLOAD, "--container", "api", "--"]
        return self.kubectl(*pod, *words, stdin=stdin)

    def settled(self) -> None:
        """Raises UserError unless all pods are soon those of the release, and ready."""
        self.kubectl("rollout", "status", WORKLOAD, f"--timeout={PATIENCE}")

    def note(self, what: str, image: str) -> None:
        """Write down who did what, where the cluster shows it."""
        person = os.environ.get("GITHUB_ACTOR") or who()
        cause = f"kubernetes.io/change-cause={what} {image} by {person}"
        self.kubectl("annotate", "--overwrite", WORKLOAD, cause)


def up(image: str, environment: str, context: str = "") -> list[str]:
    """Bring an image into service; what was seen, a line each.

    Raises UserError, in one sentence, if it is not fit; then the release before it answers.
    """
    cluster = Cluster(environment, context)
    before, old = cluster.overlay.read_text(encoding="utf-8"), cluster.image()
    name_image(cluster.overlay, image)
    try:
        cluster.kubectl("apply", "--kustomize", cluster.overlay.parent.as_posix())
        cluster.note("deployed", image)
        cluster.settled()
        told = check_release(image, cluster.inside)
    except UserError as error:
        write(cluster.overlay, before)
        raise UserError(f"{error} {taken_back(cluster, old)}") from error
    return [*told, f"{image} is in service, in {environment}: commit {cluster.overlay.as_posix()}"]


def rollback(environment: str, context: str = "") -> list[str]:
    """Bring back the release before the one in service; see `up`.

    Once only: what the cluster had before that is the release that was given up.
    """
    cluster = Cluster(environment, context)
    none = f"{environment} has no release to go back to: 'deploy up' brings the one that you name."
    if cluster.told(CAUSE).startswith(ROLLED_BACK):
        raise UserError(none)
    try:
        cluster.kubectl("rollout", "undo", WORKLOAD)
    except UserError as error:
        if "no rollout history" not in str(error):
            raise
        raise UserError(none) from error
    cluster.settled()
    image = cluster.image()
    cluster.note(ROLLED_BACK, image)
    name_image(cluster.overlay, image)
    told = check_release(image, cluster.inside, times=0)
    where = cluster.overlay.as_posix()
    return [*told, f"{image} is in service again, in {environment}: commit {where}"]


def inside(environment: str, context: str = "") -> Inside:
    """Runs commands in a pod of the release that is in service."""
    return Cluster(environment, context).inside


def status(environment: str, context: str = "") -> list[str]:
    """What is in service, and what was done, a line each."""
    cluster = Cluster(environment, context)
    if not (image := cluster.image()):
        return [f"{environment}: nothing is in service"]
    history = cluster.kubectl("rollout", "history", WORKLOAD).decode().splitlines()
    steps = [line for line in history if re.match(r"\d", line)]
    return [f"{environment}: version {version(cluster.inside)} of the model, {image}", *steps]


def taken_back(cluster: Cluster, old: str) -> str:
    """Undo a release; returns the sentence that says what answers now."""
    if not old:
        return "Nothing was in service before it: see 'kubectl describe pods', and deploy again."
    if cluster.image() != old:
        cluster.kubectl("rollout", "undo", WORKLOAD)
        cluster.note(ROLLED_BACK, old)
        cluster.settled()
    return f"{old} answers."


def name_image(overlay: Path, image: str) -> None:
    """Have the overlay name an image, by tag or digest. Raises UserError if it names none yet."""
    name, at, digest = image.partition("@")
    if not at:
        name, _, digest = image.rpartition(":")
        if not name or "/" in digest:
            raise UserError(f"'{image}' has no tag: write NAME:TAG or NAME@sha256:...")
    kind = "digest" if at else "newTag"
    text = overlay.read_text(encoding="utf-8")
    lines = rf'\1- name: api\n\1  newName: {name}\n\1  {kind}: "{digest}"\n'
    changed, many = re.subn(ENTRY, lines, text, flags=re.MULTILINE)
    if many != 1:
        raise UserError(f"{overlay} names no image '- name: api' with its newName below.")
    write(overlay, changed)


def write(target: Path, text: str) -> None:
    with replacing(target) as scratch:
        scratch.write_text(text, encoding="utf-8")
