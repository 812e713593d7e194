"""The address of a source or target: a path, a web address or a database, and what may be shown."""

import re
from urllib.parse import unquote

from ..core.errors import UserError

DATABASES = ("sqlite:///", "postgresql://", "postgres://")
URLS = ("http://", "https://", "file://")
CLOUDS = ("s3://", "s3a://", "gs://", "gcs://", "az://", "abfs://", "abfss://", "adl://")
PASSWORD = re.compile(
    r"(postgres(ql)?|https?)://([^?]*:[^?]*@|.*[?&]password=)|(?!sqlite|file)[\w+.-]+://[^/?]*:[^/?]*@"
)


def is_database(address: str) -> bool:
    """Tell whether the address is that of a database."""
    return address.startswith(DATABASES)


def split_address(address: str) -> tuple[str, str]:
    """Split a database's address into the one its driver takes, and the table named at its end."""
    uri, _, end = address.partition("?")
    parts = [part.removeprefix("table=") for part in end.split("&")]
    options = "&".join(part for part in parts if "=" in part)
    table = unquote(next((part for part in parts if "=" not in part), ""))
    return (f"{uri}?{options}" if options else uri), table


def redact(address: str) -> str:
    """Leave out what the log may not hold: the user, and all that may be a secret."""
    if not address.startswith((*DATABASES, *URLS, *CLOUDS)):
        return address
    table = split_address(address)[1] if is_database(address) else ""
    place = re.sub(r"://[^/]*@", "://", address.partition("?")[0])
    return f"{place}?{table}" if table else place


def refuse_password(address: str) -> None:
    """Raise UserError if an address holds a password, which others could read there."""
    if PASSWORD.match(address):
        raise UserError(
            "leave the password out of the address, where others can read it: a database takes it "
            "from the environment (PGPASSWORD) or from ~/.pgpass, cloud storage from its own tools."
        )


def refuse_unknown(address: str) -> None:
    """Raise UserError for an address of a kind that is not read."""
    kind = re.match(r"\w[\w+.-]*://", address)
    if kind and not address.startswith((*URLS, *CLOUDS)):
        raise UserError(
            f"{kind[0]} is no address that a table is read from; these are: "
            f"{', '.join((*DATABASES, *URLS, *CLOUDS))}."
        )


def quote_name(name: str) -> str:
    """Quote the name of a column or table, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'
