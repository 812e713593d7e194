"""A project in a folder of a larger repository: what GitHub reads at the root of that."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from mlops.core.errors import UserError
from mlops.core.repository_place import Place, find_place
from mlops.project import root_files, setup
from mlops.project.root_workflow import move_workflow

TEMPLATE = Path(__file__).parents[3] / "template"
WORKFLOWS = sorted(TEMPLATE.glob(".github/workflows/*.yml"))
TARGET = ".github/workflows/ml-flights-own.yml"
PLACE = Place(Path("/larger"), "ml/flights")

# Inputs of actions that name no file and no cache; another one has to be looked at.
NO_PATH = {
    *("aws-region", "aws-role", "azure-client", "azure-tenant", "google-account"),
    *("google-provider", "ssh-key", "persist-credentials", "fetch-depth", "enable-cache", "name"),
    *("if-no-files-found", "retention-days", "fail-on-severity", "create-storage-record"),
    *("push-to-registry", "subject-digest", "subject-name"),
}


def move(text: str) -> dict:
    """YAML 1.1 reads `on` as true."""
    moved = yaml.safe_load(move_workflow(text, "ml/flights/own.yml", PLACE, TARGET))
    return {"on" if key is True else key: value for key, value in moved.items()}


def list_steps(workflow: dict) -> list[dict]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", [])]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_nothing_that_the_repository_has_once_is_shared(file):
    moved = move(file.read_text())
    assert moved["name"].endswith(" (ml/flights)")
    for event in {"push", "pull_request"} & moved["on"].keys():
        assert moved["on"][event] == {"paths": ["ml/flights/**", TARGET]}
    for node in (moved, *moved["jobs"].values()):
        queue = node.get("concurrency", {"group": "github.workflow"})["group"]
        assert "github.workflow" in queue or queue.startswith("ml-flights-")
    for job in moved["jobs"].values():
        environment = job.get("environment", "ml-flights-")
        named = environment if isinstance(environment, str) else environment["name"]
        assert named.startswith("ml-flights-")
        uses = [step.get("uses", "") for step in job["steps"]]
        checked_out = any(each.startswith("actions/checkout@") for each in uses)
        there = job.get("defaults", moved["defaults"])["run"]["working-directory"]
        assert there == ("ml/flights" if checked_out else ".")


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_each_path_and_each_cache_lies_in_the_folder(file):
    for step in list_steps(move(file.read_text())):
        inputs = step.get("with", {})
        if step.get("uses", "").startswith("./"):
            assert step["uses"] == "./ml/flights/.github/actions/data"
            assert inputs.pop("folder") == "ml/flights/"
        for name in ("path", "sbom-path", "key", "restore-keys"):
            for line in inputs.pop(name, "").splitlines():
                assert line.startswith("ml/flights"), (step["name"], name)
        assert inputs.keys() <= NO_PATH, step["name"]
        assert "hashFiles('ml/flights/" in str(step) or "hashFiles(" not in str(step)


def test_the_switches_and_the_image_are_of_the_project_alone():
    text = move_workflow((TEMPLATE / ".github/workflows/cd.yml").read_text(), "", PLACE, TARGET)
    assert "vars.CD_ML_FLIGHTS == 'on'" in text
    assert "variable CD_ML_FLIGHTS to 'on'" in text
    assert "vars.CD " not in text
    image = "format('{0}/ml-flights', vars.REGISTRY || format('ghcr.io/{0}', github.repository))"
    assert text.count(image) == text.count("vars.REGISTRY |")


@pytest.mark.parametrize("options", [("", ""), (" --hook-stage manual", " --color never")])
def test_ci_runs_the_hooks_for_the_files_of_the_folder(options):
    """By the root's configuration, which knows other projects, too."""
    before, after = options
    run = f"uv run --locked pre-commit run{before} --all-files{after}"
    moved = move(f"on: push\njobs: {{a: {{steps: [{{run: '{run}'}}]}}}}\n")
    assert list_steps(moved)[0]["run"] == (
        f"git ls-files -z | xargs --null --no-run-if-empty uv run --locked pre-commit run{before}"
        ' --config "$(git rev-parse --show-toplevel)/.pre-commit-config.yaml"'
        f"{after} --files"
    )


def test_the_own_workflow_runs_every_hook():
    moved = move((TEMPLATE / ".github/workflows/ci.yml").read_text())
    [step] = [step for step in list_steps(moved) if step.get("name") == "Run every hook"]
    assert step["run"].startswith("git ls-files -z | xargs --null ")
    assert step["run"].endswith(" --show-diff-on-failure --files")


@pytest.mark.parametrize("triggers", ["push", "[push, issues]", "{push: }", "{push: {paths: [x]}}"])
def test_a_workflow_of_the_team_is_moved_too(triggers):
    moved = move(f"on: {triggers}\njobs: {{other: {{uses: ./.github/workflows/called.yml}}}}\n")
    own = "x" if "paths" in triggers else "**"
    assert moved["on"]["push"] == {"paths": [f"ml/flights/{own}", TARGET]}
    assert moved["name"] == "ml/flights/own.yml (ml/flights)"
    assert moved["jobs"]["other"]["uses"] == "./.github/workflows/ml-flights-called.yml"


def test_filters_of_the_team_are_kept():
    moved = move(
        "on: {push: {branches: [main], paths: [src/**, '!src/x'], tags: [v1]},"
        " pull_request: {paths-ignore: [docs/**]}}\n"
        "jobs: {a: {steps: [{run: make}], defaults: {run: {working-directory: src}}}}\n"
    )
    paths = ["ml/flights/src/**", "!ml/flights/src/x", TARGET]
    assert moved["on"]["push"] == {"branches": ["main"], "tags": ["v1"], "paths": paths}
    ignored = ["ml/flights/**", "!ml/flights/docs/**", TARGET]
    assert moved["on"]["pull_request"] == {"paths": ignored}


@pytest.mark.parametrize("text", ["- a\n", "name: x\n", "on: [\n", ""])
def test_what_is_no_workflow_is_named(text):
    with pytest.raises(UserError, match=r"^ml/flights/own\.yml "):
        move(text)


@pytest.fixture
def larger(tmp_path, monkeypatch):
    """A larger repository of others, and a project in a folder of it."""
    root = tmp_path / "larger"
    for name in (".github/workflows", ".github/CODEOWNERS.jinja"):
        copy = shutil.copytree if (TEMPLATE / name).is_dir() else shutil.copy
        (root / "ml/flights/.github").mkdir(parents=True, exist_ok=True)
        copy(TEMPLATE / name, root / "ml/flights" / name)
    shutil.copy(TEMPLATE / ".pre-commit-config.yaml", root / "ml/flights")
    owners = "# Who\n* @acme/ml\n/data/ @acme/data\nnotes @jo\n"
    (root / "ml/flights/.github/CODEOWNERS.jinja").unlink()
    (root / "ml/flights/.github/CODEOWNERS").write_text(owners)
    subprocess.run(["git", "init", "--quiet", root], check=True)
    monkeypatch.chdir(root / "ml/flights")
    return root


def test_the_place_is_that_of_the_folder(larger, monkeypatch):
    assert find_place() == Place(larger.resolve(), "ml/flights")
    assert find_place().name_environment("staging") == "ml-flights-staging"
    monkeypatch.chdir(larger)
    assert find_place() == Place(larger.resolve(), "")
    assert find_place().name_environment("staging") == "staging"
    assert find_place().name_variable("CD") == "CD"


def test_root_files_are_written_kept_current_and_removed(larger):
    place = find_place()
    written = root_files.write_root_files(place)
    names = [f".github/workflows/ml-flights-{file.name}" for file in WORKFLOWS]
    assert written == [*names, ".github/CODEOWNERS", ".pre-commit-config.yaml"]
    assert root_files.write_root_files(place) == []
    (larger / names[0]).write_text((larger / names[0]).read_text() + "# mine\n")
    Path(".github/workflows/ci.yml").unlink()
    assert root_files.write_root_files(place) == names[:2]
    assert not (larger / names[1]).exists()


def test_lines_of_others_in_code_owners_stay(larger):
    (larger / "CODEOWNERS").write_text("* @acme/all\n")
    root_files.write_root_files(find_place())
    first = (larger / "CODEOWNERS").read_text()
    assert first.startswith("* @acme/all\n\n# Written by 'uv run mlops project root-files' from ")
    moved = "/ml/flights/ @acme/ml\n/ml/flights/data/ @acme/data\n/ml/flights/**/notes @jo\n"
    assert first.endswith(f"# Who\n{moved}# End of ml/flights\n")
    (larger / "CODEOWNERS").write_text(f"{first}/other @acme/other\n")
    Path(".github/CODEOWNERS").write_text("* @acme/else\n")
    root_files.write_root_files(find_place())
    again = (larger / "CODEOWNERS").read_text()
    assert "/ml/flights/ @acme/else\n# End of ml/flights\n/other @acme/other\n" in again
    assert "@acme/data" not in again


def test_a_workflow_of_somebody_else_is_not_written_over(larger):
    (larger / ".github/workflows").mkdir(parents=True)
    (larger / ".github/workflows/ml-flights-ci.yml").write_text("on: push\n")
    with pytest.raises(UserError, match=r"ml-flights-ci\.yml was not written from ml/flights/"):
        root_files.write_root_files(find_place())
    assert [file.name for file in (larger / ".github").rglob("*.yml")] == ["ml-flights-ci.yml"]


def test_a_folder_whose_name_is_a_pattern_is_refused(larger):
    with pytest.raises(UserError, match=r"'a \[b\]' has characters that path filters"):
        root_files.write_root_files(find_place()._replace(folder="a [b]"))


def test_nobody_chooses_the_repository_in_silence(larger):
    with pytest.raises(UserError) as error:
        setup.set_up_project()
    for option in ("--in-repository", "--own-repository", ".github/workflows/ml-flights-*.yml"):
        assert option in str(error.value)
    assert not (larger / ".github").exists()
    assert not Path(".git").exists()


def test_a_project_joins_the_larger_repository_once(larger):
    done, root = setup.set_up_project(in_repository=True), larger.resolve()
    assert f"wrote {root / '.github/workflows/ml-flights-ci.yml'}" in done
    added = ".github .pre-commit-config.yaml ml/flights"
    assert f"next, commit: git -C {root} add {added}" in done
    assert not Path(".git").exists()
    for hook in ("pre-commit", "pre-push"):
        script = (larger / ".git/hooks" / hook).read_text()
        assert "generated by pre-commit" in script
        assert "--config=.pre-commit-config.yaml" in script
    assert setup.set_up_project()[0] == "nothing to do: the project is already set up"


def test_a_project_has_its_own_repository_if_somebody_says_so(larger):
    assert "made a git repository" in setup.set_up_project(in_repository=False)
    assert Path(".git").is_dir()
    assert not (larger / ".github").exists()
    assert setup.set_up_project()[0] == "nothing to do: the project is already set up"


def test_there_has_to_be_a_larger_repository_to_join(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="There is no larger repository around this folder"):
        setup.set_up_project(in_repository=True)
    assert not Path(".git").exists()


def test_a_git_hook_of_somebody_else_stays(larger):
    hook = larger / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nmake lint\n")
    done = setup.set_up_project(in_repository=True)
    assert any("a hook of your own: have it call 'uv run pre-commit run'" in line for line in done)
    assert hook.read_text() == "#!/bin/sh\nmake lint\n"
