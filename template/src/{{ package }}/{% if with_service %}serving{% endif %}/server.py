"""Starts the service: `python -m PACKAGE.serving.server`, in an image without the command line."""

import json
import logging
import sys
from typing import Any

import uvicorn

from ..errors import UserError
from .app import create
from .options import Options
from .service import Service

GRACE = 20  # seconds that requests in work have when the service is stopped
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
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=options.log_level.upper(), handlers=[handler], force=True)
    uvicorn.run(
        create(Service(options)),
        host=options.host,
        port=options.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )


if __name__ == "__main__":
    try:
        serve()
    except UserError as error:
        sys.exit(f"error: {error}")
