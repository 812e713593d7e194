"""What an ordinary machine may lack: Docker, root, a browser, a server of Debian's.

A test that needs it is skipped there, and says what it lacks. CI has all of it, so a skip there
is a failure.
"""

import os
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}; where CI=true nothing may be lacking", pytrace=False)
    pytest.skip(what)
