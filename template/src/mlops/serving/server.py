"""Starts the service: `python -m PACKAGE.serving.server`, in an image without the command line."""

import errno
import json
import logging
import os
import socket
import sys
from typing import Any

import uvicorn

from ..core.errors import UserError
from .app import create
from .connection import limit_connections
from .options import Options
from .service import Service

GRACE = 20  # seconds that requests in work have when the service is stopped
STANDARD = set(vars(logging.makeLogRecord({})))


class JsonLines(logging.Formatter):
    """A log line is one JSON object. Nothing of a request's content is ever logged."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as JSON, with what was given as `extra`."""
        entry: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        entry |= {name: fact for name, fact in vars(record).items() if name not in STANDARD}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        entry.pop("color_message", None)
        return json.dumps(entry, default=str)


def serve(**chosen: Any) -> None:
    """Answer until stopped, by the options of the environment but for those `chosen`.

    Raises UserError if a model or an option is not fit for it.
    """
    options = Options.read().model_copy(update=chosen)
    check_port(options.host, options.port)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=options.log_level.upper(), handlers=[handler], force=True)
    uvicorn.run(
        create(Service(options)),
        http=limit_connections(options),
        ws="none",
        host=options.host,
        port=options.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )


def check_port(host: str, port: int) -> None:
    """Raise UserError if the port is not to be had; uvicorn tells only once it has started."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as bound:
        if os.name == "posix":  # else it stays taken for a while after a service has ended
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
        except OSError as error:
            reason = f"port {port} of {host} cannot be used ({error.strerror}): choose another"
            if error.errno == errno.EADDRINUSE:
                reason = f"port {port} is taken: stop what uses it, or choose another"
            raise UserError(
                f"{reason} by --port, or PORT in the environment of an image."
            ) from error


if __name__ == "__main__":
    try:
        serve()
    except UserError as error:
        sys.exit(f"error: {error}")
