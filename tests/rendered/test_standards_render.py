"""A template rendered in memory is what Copier writes, for every pair of answers."""

import shutil
from pathlib import Path

import pytest
import yaml
from copier import run_recopy

from answers import PAIRWISE
from copier_mlops.git import Objects, hash_blob
from copier_mlops.render import ANSWERS
from copier_mlops.template import Template
from support import VERSION, Render, files
from test_render import name_of


@pytest.mark.parametrize("answers", PAIRWISE, ids=name_of)
def test_rendering_in_memory_equals_copiers(template: Path, render: Render, answers: dict) -> None:
    project = render(answers)
    version = Template(template).version(VERSION)
    expected = files(project)
    recorded = yaml.safe_load(expected[ANSWERS])
    rendered = version.render(recorded)
    assert set(rendered.files) == set(expected)
    with Objects(template) as objects:
        for path, content in expected.items():
            file = rendered.files[path]
            assert version.content(file.source, rendered.values, objects) == content, path
            assert file.blob == hash_blob(content), path
            executable = bool((project / path).stat().st_mode & 0o100)
            assert executable == (file.mode == "100755"), path


STRANGE_ANSWERS = {
    "invalid": {"package": "Not A Package", "business_owner": "nobody"},
    "no choice": {"deploy": "mainframe", "licence": "GPL"},
    "hidden": {"dvc_remote": "local", "dvc_remote_url": "s3://acme/flights"},
    "unknown": {"colour": "red", "with_service": False},
    "another type": {"python_min": 3.12, "package": 7, "deploy": None, "decision": ["a", "list"]},
    "contradictory": {"deploy": "kubernetes", "journal": "sqlite"},
}


@pytest.mark.parametrize("strange", STRANGE_ANSWERS.values(), ids=STRANGE_ANSWERS)
def test_strange_answers_are_taken_as_copier_takes_them(
    template: Path, project: Path, strange: dict
) -> None:
    path = project / ANSWERS
    recorded = yaml.safe_load(path.read_text(encoding="utf-8")) | strange
    path.write_text(yaml.safe_dump(recorded), encoding="utf-8")
    rendered = Template(template).version(VERSION).render(recorded)
    shutil.copytree(project, project.parent / "recopied" / "flights")
    again = project.parent / "recopied" / "flights"
    run_recopy(again, defaults=True, overwrite=True, quiet=True, skip_answered=False)
    assert {
        path: file.blob for path, file in rendered.files.items() if (again / path).is_file()
    }.items() >= {
        path: hash_blob((again / path).read_bytes())
        for path in (ANSWERS, "pyproject.toml", "LICENSE", ".github/CODEOWNERS", ".dvc/config")
    }.items()
    asked = {name: each for name, each in rendered.answers.items() if not each.hidden}
    kept = yaml.safe_load(path.read_text(encoding="utf-8"))
    refused = {name for name, each in asked.items() if each.refused}
    assert all(name in strange for name in refused)
    assert kept.keys() >= refused
