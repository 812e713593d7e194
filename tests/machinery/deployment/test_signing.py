"""A release that anybody changed, or nobody known signed, is refused in one sentence."""

import json
import re
import shutil
import subprocess

import pytest
from mlops.core.errors import UserError
from mlops.deployment.release import RELEASE, SBOM, SIGNATURE
from mlops.deployment.signing import SIGNERS, sign_release, verify_release

import releases


@pytest.fixture
def signed(tmp_path, monkeypatch):
    """A project with a signed release."""
    monkeypatch.chdir(tmp_path)
    private, public = releases.key(tmp_path)
    SIGNERS.parent.mkdir()
    SIGNERS.write_text(f'# who may\ncd@acme namespaces="release" {public}')
    monkeypatch.setenv("SIGNING_KEY", private)
    made = releases.listed()
    sign_release()
    return made


def change(path, **entries):
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_a_signed_release_is_verified_by_its_signer_and_names_its_image(signed):
    assert verify_release() == ["signed by cd@acme", signed.image]


def test_a_secret_may_have_lost_its_last_line_end(signed, monkeypatch, tmp_path):
    monkeypatch.setenv("SIGNING_KEY", (tmp_path / "key").read_text().rstrip("\n"))
    assert sign_release()[-1] == "signed by cd@acme"


@pytest.mark.parametrize("entry", ["image", "commit", "model_sha256", "sbom_sha256"])
def test_a_release_that_was_changed_is_refused(signed, entry):
    change(RELEASE, **{entry: getattr(signed, entry)[:-1] + "0"})
    with pytest.raises(UserError, match=r"is not as cd@acme signed it.*do not deploy it"):
        verify_release()


def test_a_bill_of_materials_that_was_changed_is_refused(signed):
    change(SBOM, components=[{"name": "another"}])
    with pytest.raises(UserError, match=f"{SBOM} is not the one that {RELEASE} names"):
        verify_release()


def test_a_release_of_somebody_unknown_is_refused(signed, monkeypatch, tmp_path):
    monkeypatch.setenv("SIGNING_KEY", releases.key(tmp_path, "another")[0])
    with pytest.raises(UserError, match=f"by nobody whom {SIGNERS} names"):
        sign_release()


def test_a_signature_of_something_else_is_none(signed, tmp_path):
    SIGNATURE.unlink()
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", str(tmp_path / "key")]
    subprocess.run([*command, str(RELEASE)], check=True)
    with pytest.raises(UserError, match="is not as cd@acme signed it"):
        verify_release()


def test_a_release_that_is_written_again_is_not_signed(signed):
    releases.listed()
    with pytest.raises(UserError, match="is not signed: 'deploy sign' does it"):
        verify_release()


def test_without_a_bill_of_materials_nothing_is_signed(signed):
    SBOM.unlink()
    with pytest.raises(UserError, match="make it with 'deploy sbom'"):
        sign_release()


@pytest.mark.parametrize(
    ("key", "reason"), [("", "SIGNING_KEY is not set"), ("no key", "is not a private key")]
)
def test_a_key_that_cannot_sign_is_named_but_not_shown(signed, monkeypatch, key, reason):
    monkeypatch.setenv("SIGNING_KEY", key)
    with pytest.raises(UserError, match=reason) as refused:
        sign_release()
    assert "no key" not in str(refused.value)


def test_no_release_and_a_broken_one_are_told_apart(signed):
    RELEASE.write_text("{}")
    with pytest.raises(UserError, match=f"{re.escape(str(RELEASE))} is not a release"):
        verify_release()
    shutil.rmtree(RELEASE.parent)
    with pytest.raises(UserError, match="make it with 'deploy build'"):
        verify_release()
