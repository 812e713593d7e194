"""What is used of Copier beyond its public functions, gathered here and nowhere else.

Copier's public API renders to disk: 719 ms for a project that is compared in memory in 2 ms. So the
questions, the settings and the Jinja of the very Copier that makes the projects are used directly.
None of it is promised to stay: pyproject.toml pins the release series, and
`tests/rendered/test_copier_internals.py` names the release that was read.
"""

from copier._jinja_ext import SandboxedEnvironment
from copier._main import Worker
from copier._settings import SettingsModel
from copier._template import DEFAULT_EXCLUDE, DEFAULT_TEMPLATES_SUFFIX, filter_config
from copier._types import MISSING
from copier._user_data import AnswersMap, Question
from copier._vcs import get_repo

__all__ = [
    "DEFAULT_EXCLUDE",
    "DEFAULT_TEMPLATES_SUFFIX",
    "MISSING",
    "AnswersMap",
    "Question",
    "SandboxedEnvironment",
    "SettingsModel",
    "Worker",
    "filter_config",
    "get_repo",
]
