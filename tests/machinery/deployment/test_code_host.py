"""What a repository on GitHub lacks before it delivers by itself is named, in order."""

import json

import pytest
from mlops.core.errors import UserError
from mlops.deployment import code_host

GH = """\
#!/bin/sh
# In the place of GitHub's own: answers what lies in the folder `told`, by the last words asked.
if [ "$1" = repo ]; then
    [ -e "$TOLD/repo" ] || { echo "no git remotes found" >&2; exit 1; }
    cat "$TOLD/repo"
    exit
fi
for last; do :; done
file="$TOLD/$(echo "$last" | tr / +)"
if [ -e "$file" ]; then cat "$file"; else echo "gh: Not Found (HTTP 404)" >&2; exit 1; fi
"""
SIGNER = 'release namespaces="release" ssh-ed25519 AAAA\n'


@pytest.fixture
def github(tmp_path, monkeypatch):
    """Returns what tells that a path of the repository acme/flights is there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gh").write_text(GH)
    (tmp_path / "bin/gh").chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    (tmp_path / "told").mkdir()
    (tmp_path / "problem.yaml").write_text(
        "name: Flights\nowners: {business_owner: '@acme/money'}\n"
    )
    (tmp_path / ".dvc").mkdir()
    store("../storage")
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/allowed_signers").write_text("# nobody yet\n")
    (tmp_path / "deploy/compose.yaml").touch()
    (tmp_path / "told/repo").write_text("acme/flights\n")

    def there(path, content=None):
        name = f"repos/acme/flights/{path}".replace("/", "+")
        (tmp_path / "told" / name).write_text(json.dumps(content or {}))

    return there


def store(url):
    with open(".dvc/config", "w", encoding="utf-8") as config:
        config.write(f"[core]\n    remote = storage\n['remote \"storage\"']\n    url = {url}\n")


def provide_all(there):
    """All that a project with Docker Compose needs."""
    store("s3://bucket/flights")
    with open("deploy/allowed_signers", "a", encoding="utf-8") as signers:
        signers.write(SIGNER)
    asked = [{"type": "Team", "reviewer": {"slug": "money"}}]
    rules = {"protection_rules": [{"type": "required_reviewers", "reviewers": asked}]}
    for name in ("release", "staging", "monitoring"):
        there(f"environments/{name}", {"protection_rules": []})
    there("environments/production", rules)
    there("environments/release/secrets/SIGNING_KEY")
    for name in ("staging", "production"):
        there(f"environments/{name}/secrets/SERVICE_ENV")
        there(f"environments/{name}/variables/SERVICE_URL")
        there(f"environments/{name}/variables/DOCKER_HOST")
    there("actions/permissions/workflow", {"can_approve_pull_request_reviews": True})
    there("actions/variables/CD")
    there("actions/variables/MONITORING")


def missing(lines):
    return [line.removeprefix("missing").strip() for line in lines if line.startswith("missing")]


def test_what_is_missing_is_named_with_what_makes_it_in_order(github):
    lines, ready = code_host.check_repository()
    assert not ready
    assert lines[0] == "acme/flights lacks 17 of 17 things; set them up in this order:"
    assert missing(lines)[0].startswith("a data store that other machines reach: uv run dvc remote")
    assert "gh api --method PUT repos/acme/flights/environments/release" in lines[3]
    assert "secret SIGNING_KEY of release" in lines[4]
    assert "gh secret set SIGNING_KEY --env release" in lines[4]
    assert "@acme/money as a required reviewer" in "\n".join(lines)
    assert "gh variable set CD --body on" in lines[-1]


def test_with_all_of_it_nothing_is_left_to_do(github):
    provide_all(github)
    lines, ready = code_host.check_repository()
    assert ready
    assert lines[0] == "acme/flights has all that it needs"
    assert missing(lines) == []


def test_one_thing_is_told_alone(github, tmp_path):
    provide_all(github)
    (tmp_path / "told/repos+acme+flights+environments+staging+secrets+SERVICE_ENV").unlink()
    lines, ready = code_host.check_repository()
    assert not ready
    assert [line.partition(" (")[0] for line in missing(lines)] == [
        "the secret SERVICE_ENV of staging"
    ]


def test_a_plan_without_reviewers_may_say_that_nobody_is_asked(github):
    provide_all(github)
    github("environments/production", {"protection_rules": []})
    assert "@acme/money as a required reviewer" in missing(code_host.check_repository()[0])[0]
    github("environments/production/variables/UNATTENDED", {"value": "true"})
    assert code_host.check_repository()[1]


def test_or_have_the_owner_start_each_delivery(github):
    provide_all(github)
    github("environments/production", {"protection_rules": []})
    github("actions/variables/CD", {"value": "manual"})
    assert code_host.check_repository()[1]


def test_a_token_of_a_bot_also_opens_pull_requests(github):
    provide_all(github)
    github("actions/permissions/workflow", {"can_approve_pull_request_reviews": False})
    assert "pull requests" in missing(code_host.check_repository()[0])[0]
    github("environments/bot/secrets/BOT_TOKEN")
    assert code_host.check_repository()[1]


def test_on_kubernetes_the_cluster_takes_the_place_of_the_engine(github, tmp_path):
    (tmp_path / "deploy/compose.yaml").unlink()
    lines = "\n".join(code_host.check_repository()[0])
    assert "KUBE_CONFIG of production" in lines
    assert "DOCKER_HOST" not in lines


def test_without_gh_all_is_listed_and_only_files_are_judged(github, tmp_path):
    (tmp_path / "bin/gh").unlink()
    lines, ready = code_host.check_repository()
    assert not ready
    assert "is not installed" in lines[0]
    assert sum(line.startswith("needed") for line in lines) == 15
    assert len(missing(lines)) == 2


def test_where_gh_knows_no_repository_its_own_words_are_told(github, tmp_path):
    (tmp_path / "told/repo").unlink()
    with pytest.raises(UserError, match=r"no git remotes found.*push the repository to GitHub"):
        code_host.check_repository()


def test_an_address_may_hold_a_percent_sign(github):
    provide_all(github)
    store("s3://bucket/my%20flights")
    assert code_host.check_repository()[1]


def test_settings_of_dvc_that_cannot_be_read_are_one_sentence(github, tmp_path):
    (tmp_path / ".dvc/config").write_text("url = s3://bucket\n")
    with pytest.raises(UserError, match=r"\.dvc/config .*cannot be read: .*; correct it"):
        code_host.check_repository()


def test_what_the_team_has_taken_away_is_missing_too(github, tmp_path):
    provide_all(github)
    (tmp_path / "deploy/allowed_signers").unlink()
    (tmp_path / "problem.yaml").write_text("name: Flights\n")
    lines = missing(code_host.check_repository()[0])
    assert [line.partition(":")[0] for line in lines] == [
        "a key in deploy/allowed_signers",
        "the business owner as a required reviewer of production",
    ]
