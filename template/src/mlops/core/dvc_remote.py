"""Where DVC keeps the data, read from its settings without DVC, which takes half a second."""

import configparser

from .errors import UserError

FILES = (".dvc/config", ".dvc/config.local")  # the later one counts


def read_remote_url() -> str:
    """Read the URL of the default remote; "" if there is none. Raises UserError if it cannot be."""
    settings = configparser.ConfigParser(interpolation=None)
    try:
        settings.read(FILES, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{' or '.join(FILES)} cannot be read: {reason}; correct it.") from error
    name = settings.get("core", "remote", fallback="")
    return settings.get(f"'remote \"{name}\"'", "url", fallback="")
