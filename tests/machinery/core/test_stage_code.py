"""A stage of dvc.yaml depends on the code that it runs, and on little else.

Imports are read from the source, those within functions included; what the team's files import from
mlops.api counts as imported where they are.
"""

import ast
import re
from functools import cache
from pathlib import Path

import jinja2
import pytest
import yaml
from mlops import api
from mlops.core import stages
from mlops.core.errors import UserError
from mlops.core.team import load_team_module

from files import FILES
from team_packages import team_package

SOURCE = Path(api.__file__).parent
NEVER_BY = {"gates", "records", "storage", "registry", "serving", "monitoring", "business"}
MAKE_A_MODEL = {"candidates", "features", "metrics"}
# The team's files are looked up by name: which run reads which.
TEAMS = {"train": MAKE_A_MODEL, "package": MAKE_A_MODEL, "evaluate": {"metrics"}} | {
    "gate": {"gates"},
    "report": {"gates"},
}


@cache
def pipeline():
    """The stages, of the project or of one that has everything."""
    file = FILES / "dvc.yaml"
    if file.exists():
        return yaml.safe_load(file.read_text(encoding="utf-8"))["stages"]
    made = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701
    everything = dict.fromkeys(
        ["with_dask", "with_service", "with_compose", "with_cluster", "with_deploy"], True
    )
    text = (FILES / "dvc.yaml.jinja").read_text(encoding="utf-8")
    return yaml.safe_load(made.from_string(text).render(package="flights", **everything))["stages"]


def team_folder():
    [folder] = (p.parent for p in (FILES / "src").glob("*/candidates.py"))
    return folder


def file_of(module):
    """Of "model.search"; None if there is none."""
    path = SOURCE.joinpath(*module.split(".")) if module else SOURCE
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if module and file.exists():
            return file
    return None


@cache
def imported(file):
    """The modules of the platform's package that a file imports, or loads by name."""
    inside = file.relative_to(SOURCE).parent.parts if file.is_relative_to(SOURCE) else ()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    typing = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in typing:
            found |= named(node, inside)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "load_module":
            found |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    return {module for module in found if file_of(module)}


def named(node, inside):
    """What `from ..a.b import c` names: a.b, or a.b.c if that is a module."""
    if node.level:
        base = ".".join([*inside[: len(inside) - node.level + 1], *(node.module or "").split(".")])
        base = base.strip(".")
    elif (node.module or "").partition(".")[0] == "mlops":
        base = node.module.partition(".")[2]
    else:
        return set()
    if base == "api":
        return {"api"} | {api._MODULES[alias.name] for alias in node.names}
    return {base} | {f"{base}.{alias.name}".strip(".") for alias in node.names}


def closure(stage):
    """The files that a run of the stage imports, the team's and their root included."""
    names = {"__init__", *TEAMS[stage]} if stage in TEAMS else ()
    team = [team_folder() / f"{name}.py" for name in names]
    waiting, found = [file_of(stages.STAGES[stage]), *team], set()
    while waiting:
        if (file := waiting.pop()) not in found:
            found.add(file)
            waiting += [file_of(module) for module in imported(file)]
    return found


def path_in_project(file):
    if file.is_relative_to(SOURCE):
        return Path("src/mlops", file.relative_to(SOURCE))
    return Path("src", "flights" if "{" in str(file) else file.parent.name, file.name)


def dependencies(stage):
    return {Path(dep) for dep in pipeline()[stage]["deps"] if dep.startswith("src/")}


def covers(dependency, file):
    return dependency == file or dependency in file.parents


@pytest.mark.parametrize("stage", pipeline())
def test_a_change_in_what_a_stage_imports_makes_it_stale(stage):
    needed = {path_in_project(file) for file in closure(stage)}
    assert len(needed) > 3
    deps = dependencies(stage)
    assert not [file for file in needed if not any(covers(dep, file) for dep in deps)]


@pytest.mark.parametrize("stage", pipeline())
def test_nothing_but_a_neighbour_in_the_folder_makes_it_stale(stage):
    needed = {path_in_project(file) for file in closure(stage)}
    needless = [dep for dep in dependencies(stage) if not any(covers(dep, file) for file in needed)]
    assert not needless
    folders = [dep for dep in dependencies(stage) if dep.suffix != ".py"]
    assert all(len(dep.parts) == 3 for dep in folders), "a folder with folders in it"


@pytest.mark.parametrize("stage", ["ingest", "train"])
def test_judging_serving_and_telling_never_train_again(stage):
    assert not {dep.parts[2] for dep in dependencies(stage)} & NEVER_BY
    assert not [dep for dep in dependencies(stage) if dep.name == "gates.py"]


def test_every_stage_of_the_pipeline_is_one_that_the_command_knows():
    for name, stage in pipeline().items():
        assert stage["cmd"] == f"mlops stage {name}"
        assert name in stages.STAGES


def test_a_file_of_the_team_that_dvc_would_not_notice_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    helper = tmp_path / "src/ours/helper.py"
    monkeypatch.setattr(stages, "list_loaded_team_files", lambda: [helper])
    stages.refuse_unlisted_files("train")  # no pipeline here
    for deps in ("src/ours/helper.py", "src/ours"):
        Path("dvc.yaml").write_text(f"stages: {{train: {{cmd: x, deps: [{deps}]}}}}\n")
        stages.refuse_unlisted_files("train")
    Path("dvc.yaml").write_text("stages: {train: {cmd: x, deps: [src/ours/other.py]}}\n")
    says = "Stage train runs src/ours/helper.py, but dvc.yaml does not list it: add it to the deps"
    with pytest.raises(UserError, match=re.escape(says)):
        stages.refuse_unlisted_files("train")


def test_the_root_of_the_teams_package_is_a_file_that_dvc_must_notice(tmp_path):
    with team_package(tmp_path) as folder:
        load_team_module("metrics")
        files = [f"src/{folder.name}/{name}.py" for name in ("metrics", "__init__")]
        pipeline = {"stages": {"evaluate": {"cmd": "x", "deps": files}}}
        Path("dvc.yaml").write_text(yaml.safe_dump(pipeline))
        stages.refuse_unlisted_files("evaluate")
        pipeline["stages"]["evaluate"]["deps"].pop()
        Path("dvc.yaml").write_text(yaml.safe_dump(pipeline))
        says = r"runs src/\w+/__init__\.py, but dvc\.yaml does not list it"
        with pytest.raises(UserError, match=says):
            stages.refuse_unlisted_files("evaluate")
