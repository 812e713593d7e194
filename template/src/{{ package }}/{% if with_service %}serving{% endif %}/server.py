"""Starts the service: `python -m PACKAGE.serving.server`, in an image without the command line."""

import errno
import json
import logging
import os
import socket
import sys
from contextlib import suppress
from typing import Any

import uvicorn

from ..errors import UserError
from .app import create
from .options import Options
from .service import Service

GRACE = 20  # seconds that requests in work have when the service is stopped
log = logging.getLogger(__name__)
STANDARD = set(vars(logging.makeLogRecord({})))


class JsonLines(logging.Formatter):
    """A log line is one JSON object. Nothing of a request's content is ever logged."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        told |= {name: fact for name, fact in vars(record).items() if name not in STANDARD}
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        told.pop("color_message", None)
        return json.dumps(told, default=str)


def serve(**chosen: Any) -> None:
    """Answer until stopped, by the options of the environment but for those `chosen`.

    Raises UserError if a model or an option is not fit for it.
    """
    options = Options.read().model_copy(update=chosen)
    bound = bind(options.host, options.port)  # first: to load a model takes a while
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=options.log_level.upper(), handlers=[handler], force=True)
    settings = uvicorn.Config(
        create(Service(options)),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    server = uvicorn.Server(settings)
    log.info("it answers at http://%s:%s, until Ctrl+C", options.host, options.port)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[bound])
    if not server.started:
        sys.exit(1)


def bind(host: str, port: int) -> socket.socket:
    """Take the port; nobody is heard there yet. Raises UserError if it is not to be had."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if os.name == "posix":  # else the port stays taken for a while after a service has ended
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} is taken: stop what uses it, or choose another"
        else:
            reason = f"{host} port {port} cannot be listened on ({error.strerror}): choose another"
        raise UserError(f"{reason} by --port, or PORT in the environment of an image.") from error
    return bound


if __name__ == "__main__":
    try:
        serve()
    except UserError as error:
        sys.exit(f"error: {error}")
