"""Releases on Kubernetes: what the cluster is told, by a kubectl that writes it down."""

import json
import os
from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.deployment.kubernetes import kubernetes_target
from mlops.deployment.target import Place

OVERLAY = """\
namespace: flights-staging
resources:
  - ../../base
images:
  - name: api
    newName: registry.acme.example/flights-api
    newTag: 0.1.0
patches: [] # the team's
"""
STAGING = Place("staging")
OLD = "registry.acme.example/flights-api:0.1.0"
NEW = "registry.acme.example/flights-api@sha256:" + 64 * "a"
# Keeps a list of images in $HOME/images, the last one in use; what is in $HOME/fails goes wrong.
KUBECTL = """\
#!/bin/sh
shift 2
echo "$*" >> "$HOME/calls"
images="$HOME/images"
case "$*" in "$(cat "$HOME/fails")"*) echo "error: it timed out" >&2; exit 1;; esac
case "$1 $2" in
  "get "*) case "$3 $4" in *change-cause*) cat "$HOME/cause";; *) tail -n 1 "$images";; esac;;
  "annotate "*) echo "${4#*=}" > "$HOME/cause";;
  "apply "*) sed -n 's/^ *digest: "\\(.*\\)"/registry.acme.example\\/flights-api@\\1/p' \
    "$3/kustomization.yaml" >> "$images";;
  "rollout undo")
    if [ "$(wc -l < "$images")" -lt 2 ]; then echo "error: no rollout history found" >&2; exit 1; fi
    sed -i '$d' "$images";;
  "rollout history") printf 'REVISION  CHANGE-CAUSE\\n1  deployed by hand\\n';;
esac
"""


@pytest.fixture(autouse=True)
def calls(tmp_path, monkeypatch):
    """What kubectl was asked to do, oldest first."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    monkeypatch.setattr(
        kubernetes_target, "check_release", lambda name, run, times=1: ["it answers"]
    )
    monkeypatch.setattr(kubernetes_target, "read_model_version", lambda run: "3")
    Path("kubectl").write_text(KUBECTL)
    Path("kubectl").chmod(0o755)
    Path("images").write_text(f"{OLD}\n")
    Path("fails").write_text("nothing")
    Path("cause").write_text("")
    overlay().parent.mkdir(parents=True)
    overlay().write_text(OVERLAY)
    return lambda: Path("calls").read_text().splitlines()


def overlay():
    return Path("deploy/k8s/overlays/staging/kustomization.yaml")


def test_the_overlay_names_the_image_and_the_cluster_takes_it_over(calls):
    lines = kubernetes_target.deploy(NEW, STAGING)
    assert lines[0] == "it answers"
    assert overlay().read_text() == OVERLAY.replace("newTag: 0.1.0", f'digest: "{NEW[-71:]}"')
    assert calls() == [
        "get deployment/api --ignore-not-found --output=" + kubernetes_target.IMAGE,
        "apply --kustomize deploy/k8s/overlays/staging",
        f"annotate --overwrite deployment/api kubernetes.io/change-cause=deployed {NEW} by ada",
        "rollout status deployment/api --timeout=180s",
    ]


def test_a_release_that_does_not_get_ready_is_undone(calls):
    Path("fails").write_text("rollout status deployment/api --timeout=180s")
    with pytest.raises(UserError, match="it timed out"):
        kubernetes_target.deploy(NEW, STAGING)
    assert "rollout undo deployment/api" in calls()
    assert overlay().read_text() == OVERLAY
    assert Path("images").read_text() == f"{OLD}\n"


def test_a_release_that_is_unfit_is_undone(calls, monkeypatch):
    def unfit(name, run):
        raise UserError("it is slow.")

    monkeypatch.setattr(kubernetes_target, "check_release", unfit)
    with pytest.raises(UserError, match=f"it is slow. {OLD} answers."):
        kubernetes_target.deploy(NEW, STAGING)
    assert calls()[-1].startswith("rollout status")
    assert overlay().read_text() == OVERLAY
    assert Path("images").read_text() == f"{OLD}\n"


def test_a_first_release_that_fails_is_left_to_be_looked_at(calls):
    Path("images").write_text("")
    Path("fails").write_text("rollout status")
    with pytest.raises(UserError, match="Nothing was in service before it"):
        kubernetes_target.deploy(NEW, STAGING)
    assert not [call for call in calls() if "undo" in call]


def test_the_way_back(calls):
    kubernetes_target.deploy(NEW, STAGING)
    assert "is in service again" in kubernetes_target.roll_back(STAGING)[-1]
    assert overlay().read_text() == OVERLAY.replace("newTag: 0.1.0", 'newTag: "0.1.0"')


def test_what_was_given_up_does_not_come_back(calls):
    Path("images").write_text(f"{NEW}\n{OLD}\n{NEW}\n")
    kubernetes_target.roll_back(STAGING)
    with pytest.raises(UserError, match="staging has no release to go back to"):
        kubernetes_target.roll_back(STAGING)
    assert calls().count("rollout undo deployment/api") == 1


def test_before_the_first_release_there_is_no_way_back(calls):
    with pytest.raises(UserError, match="staging has no release to go back to"):
        kubernetes_target.roll_back(STAGING)


def test_status(calls):
    assert kubernetes_target.describe(STAGING) == [
        f"staging: version 3 of the model, {OLD}",
        "1  deployed by hand",
    ]
    Path("images").write_text("")
    assert kubernetes_target.describe(STAGING) == ["staging: nothing is in service"]


@pytest.mark.parametrize(
    ("image", "environment", "why"),
    [
        (NEW, "moon", "'moon' is not an overlay"),
        ("registry:5000/flights", "staging", "has no tag"),
        ("flights", "staging", "has no tag"),
    ],
)
def test_what_cannot_be_deployed(image, environment, why):
    with pytest.raises(UserError, match=why):
        kubernetes_target.deploy(image, Place(environment))
    assert overlay().read_text() == OVERLAY


def test_an_overlay_without_the_image_is_not_guessed_at():
    overlay().write_text(OVERLAY.replace("name: api", "name: other"))
    with pytest.raises(UserError, match="names no image '- name: api'"):
        kubernetes_target.deploy(NEW, STAGING)


def test_commands_reach_a_pod_of_the_release(calls):
    kubernetes_target.open_release(STAGING)("cat", "a", stdin=json.dumps({}).encode())
    assert calls() == ["exec --stdin deployment/api --container api -- cat a"]


def test_kubectl_runs_in_the_environment_of_the_delivery(tmp_path):
    home = tmp_path / "another"
    home.mkdir()
    (home / "fails").write_text("nothing")
    (home / "images").write_text(f"{NEW}\n")
    variables = os.environ | {"HOME": str(home)}
    lines = kubernetes_target.describe(Place("staging", variables=variables))
    assert lines[0] == f"staging: version 3 of the model, {NEW}"
