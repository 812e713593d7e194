"""CODEOWNERS asks whom problem.yaml names."""

from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.core.problem import Owners
from mlops.project import code_owners

CODEOWNERS = Path(".github/CODEOWNERS")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Its owners agree."""
    monkeypatch.chdir(tmp_path)
    CODEOWNERS.parent.mkdir()
    lines = [f"{path} @acme/{role}\n" for path, role in code_owners.REVIEWED.items()]
    CODEOWNERS.write_text("".join(["# Who reviews\n", *lines]))
    named = "".join(f"  {role}: '@acme/{role}'\n" for role in Owners.model_fields)
    Path("problem.yaml").write_text(f"name: t\nowners:\n{named}")


def test_owners_who_agree_pass(project):
    assert code_owners.check_code_owners() == [
        "problem.yaml and .github/CODEOWNERS name the same owners"
    ]


def test_an_owner_who_is_not_asked_is_named_with_both_lines(project):
    CODEOWNERS.write_text(CODEOWNERS.read_text() + "/problem.yaml @jo  # the last line counts\n")
    reason = (
        r"CODEOWNERS:7: /problem\.yaml is reviewed by @jo, but problem\.yaml:3 owners\.business_"
    )
    with pytest.raises(UserError, match=reason):
        code_owners.check_code_owners()


def test_a_line_that_is_missing_is_given(project):
    text = CODEOWNERS.read_text().replace("/contract.yaml @acme/data_engineer\n", "")
    CODEOWNERS.write_text(text)
    with pytest.raises(UserError, match=r"add the line '/contract\.yaml @acme/data_engineer'"):
        code_owners.check_code_owners()


def test_a_role_without_an_owner_is_for_the_release_gate(project):
    Path("problem.yaml").write_text("name: t\n")
    assert code_owners.check_code_owners()
