"""A disk that is full, as the system and the libraries tell it."""

import errno
import os

REASON = os.strerror(errno.ENOSPC)


def is_full_disk(error: BaseException | None) -> bool:
    """Tell whether an error, or what led to it, says that no space is left on the disk.

    polars and others say so in their text only.
    """
    while error is not None:
        if getattr(error, "errno", None) == errno.ENOSPC or REASON in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
