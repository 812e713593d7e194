"""Releases on Kubernetes: the overlay names the image, and the cluster exchanges it pod by pod.

A pod takes part once it is ready, and the old ones stop as the new ones come (deployment.yaml): no
request fails. A release that does not get ready, or is unfit, is undone. The cluster remembers what
was before (its ReplicaSets), and who deployed what (`kubectl rollout history`).
"""

import re
import subprocess
from pathlib import Path

from ...core.errors import UserError
from ...core.paths import write_text
from ...core.strict_model import read_yaml
from ..readiness import Runner, check_release, read_model_version
from ..target import Place, make_no_way_back, name_person

OVERLAYS = Path("deploy/k8s/overlays")
WORKLOAD = "deployment/api"
PATIENCE = "180s"  # until all pods are those of the release
IMAGE = "jsonpath={.spec.template.spec.containers[0].image}"
CAUSE = r"jsonpath={.metadata.annotations.kubernetes\.io/change-cause}"
ROLLED_BACK = "rolled back"
ENTRY = r"^( *)- name: api\n(?:\1  \S.*\n)+"  # among the images of an overlay


class Cluster:
    """One environment in a cluster; all is done by the command `kubectl`.

    `environment` is its name, and `overlay` the file of Kustomize that names its image.
    """

    def __init__(self, place: Place) -> None:
        """Raises UserError if there is no such overlay."""
        self.environment = place.environment
        self.overlay = OVERLAYS / place.environment / "kustomization.yaml"
        if not self.overlay.exists():
            raise UserError(
                f"{self.overlay.parent} is not there: '{place.environment}' is not an overlay."
            )
        self._options = ["--namespace", str(read_yaml(str(self.overlay))["namespace"])]
        self._options += ["--context", place.host] if place.host else []
        self._variables = place.variables

    def kubectl(self, *command: str, stdin: bytes = b"") -> bytes:
        """Run kubectl, and return what it prints. Raises UserError with its words if it fails."""
        whole = ["kubectl", *self._options, *command]
        try:
            done = subprocess.run(
                whole, input=stdin, capture_output=True, env=self._variables, check=False
            )
        except FileNotFoundError as error:
            raise UserError("There is no command 'kubectl' here: install it.") from error
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it failed"]
            raise UserError(f"kubectl {command[0]}: {lines[-1]}")
        return done.stdout

    def read_image(self) -> str:
        """Read the image of the release in use; "" if there is none."""
        return self.read_workload(IMAGE)

    def read_workload(self, field: str) -> str:
        """Read a field of the workload, given as an output format of kubectl; "" if it has none."""
        query = ["get", WORKLOAD, "--ignore-not-found", f"--output={field}"]
        return self.kubectl(*query).decode().strip()

    def run(self, *words: str, stdin: bytes = b"") -> bytes:
        """Run a command in a pod of the release, and return what it prints."""
        pod = ["exec", "--stdin", WORKLOAD, "--container", "api", "--"]
        return self.kubectl(*pod, *words, stdin=stdin)

    def wait_until_settled(self) -> None:
        """Raise UserError unless all pods are soon those of the release, and ready."""
        self.kubectl("rollout", "status", WORKLOAD, f"--timeout={PATIENCE}")

    def annotate(self, step: str, image: str) -> None:
        """Write down who did what, where the cluster shows it."""
        cause = f"kubernetes.io/change-cause={step} {image} by {name_person()}"
        self.kubectl("annotate", "--overwrite", WORKLOAD, cause)


def deploy(image: str, place: Place) -> list[str]:
    """Bring an image into service; returns what was seen, a line each.

    Raises UserError, in one sentence, if it is not fit; then the release before it answers.
    """
    cluster = Cluster(place)
    text_before, image_before = cluster.overlay.read_text(encoding="utf-8"), cluster.read_image()
    name_image(cluster.overlay, image)
    folder = cluster.overlay.parent.as_posix()
    try:
        cluster.kubectl("apply", "--kustomize", folder)
        cluster.annotate("deployed", image)
        cluster.wait_until_settled()
        lines = check_release(image, cluster.run)
    except UserError as error:
        write_text(cluster.overlay, text_before)
        raise UserError(f"{error} {undo(cluster, image_before)}") from error
    overlay = cluster.overlay.as_posix()
    return [*lines, f"{image} is in service, in {cluster.environment}: commit {overlay}"]


def roll_back(place: Place) -> list[str]:
    """Bring back the release before the one in service; see `deploy`.

    Once only: what the cluster had before that is the release that was given up.
    """
    cluster = Cluster(place)
    if cluster.read_workload(CAUSE).startswith(ROLLED_BACK):
        raise make_no_way_back(cluster.environment)
    try:
        cluster.kubectl("rollout", "undo", WORKLOAD)
    except UserError as error:
        if "no rollout history" not in str(error):
            raise
        raise make_no_way_back(cluster.environment) from error
    cluster.wait_until_settled()
    image = cluster.read_image()
    cluster.annotate(ROLLED_BACK, image)
    name_image(cluster.overlay, image)
    lines = check_release(image, cluster.run, times=0)
    overlay = cluster.overlay.as_posix()
    return [*lines, f"{image} is in service again, in {cluster.environment}: commit {overlay}"]


def open_release(place: Place) -> Runner:
    """Return what runs commands in a pod of the release that is in service."""
    return Cluster(place).run


def describe(place: Place) -> list[str]:
    """Tell what is in service, and what was done, a line each."""
    cluster = Cluster(place)
    if not (image := cluster.read_image()):
        return [f"{cluster.environment}: nothing is in service"]
    history = cluster.kubectl("rollout", "history", WORKLOAD).decode().splitlines()
    steps = [line for line in history if re.match(r"\d", line)]
    version = read_model_version(cluster.run)
    return [f"{cluster.environment}: version {version} of the model, {image}", *steps]


def undo(cluster: Cluster, image_before: str) -> str:
    """Undo a release; returns the sentence that says what answers now."""
    if not image_before:
        return "Nothing was in service before it: see 'kubectl describe pods', and deploy again."
    if cluster.read_image() != image_before:
        cluster.kubectl("rollout", "undo", WORKLOAD)
        cluster.annotate(ROLLED_BACK, image_before)
        cluster.wait_until_settled()
    return f"{image_before} answers."


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
    write_text(overlay, changed)
