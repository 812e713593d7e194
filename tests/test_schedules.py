"""What happens by the clock: the model at work is looked at, and news is brought in."""

import json
from pathlib import Path

import pytest
import yaml
from conftest import Render, run


@pytest.mark.parametrize("deploy", ["compose", "none"])
def test_dependabot_leaves_to_the_template_what_is_the_template_s(
    render: Render, deploy: str
) -> None:
    project = render({"deploy": deploy})
    file = project / ".github" / "dependabot.yml"
    run("check-jsonschema", "--builtin-schema", "vendor.dependabot", file, cwd=project)
    run("zizmor", "--offline", "--pedantic", "--quiet", file, cwd=project)
    updates = yaml.safe_load(file.read_text(encoding="utf-8"))["updates"]
    named = {one["package-ecosystem"]: one for one in updates}
    assert set(named) == {"uv", "github-actions"}
    assert workflows(project) <= set(named["github-actions"]["exclude-paths"])
    assert not (project / "renovate.json").exists()


def test_renovate_brings_the_template_without_trust(render: Render) -> None:
    project = render({"updates": "renovate"})
    file = project / "renovate.json"
    run("check-jsonschema", "--builtin-schema", "vendor.renovate", file, cwd=project)
    settings = json.loads(file.read_text(encoding="utf-8"))
    assert {"copier", "pep621", "github-actions"} <= set(settings["enabledManagers"])
    assert settings["ignoreScripts"]
    assert workflows(project) <= set(settings["ignorePaths"])
    assert not (project / ".github" / "dependabot.yml").exists()
    assert ".github/workflows/template-update.yml" not in workflows(project)


def workflows(project: Path) -> set[str]:
    """Those of the template, whose pins it brings up to date itself."""
    return {
        path.relative_to(project).as_posix()
        for path in (project / ".github" / "workflows").glob("*.yml")
    }
