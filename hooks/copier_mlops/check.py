"""One repository against the template it was made from."""

from pathlib import Path

from .errors import UserError
from .findings import Report
from .policy import Policy
from .template import Templates


def check(
    repository: Path,
    templates: Templates | None = None,
    policy: Policy | None = None,
    at: str | None = "HEAD",
) -> Report:
    """Compare a repository, bare or not, with the standards.

    `templates` keeps what was read of templates from one repository to the next, so pass the same
    to each call. `policy` is the organisation's; None: that of the template's newest release. `at`
    is the commit to look at; None: the files as they lie in the folder. What cannot be read is
    said in `Report.broken`: no repository raises an error.
    """
    try:
        raise UserError("Not yet.")
    except UserError as error:
        return Report(str(repository), broken=str(error))
