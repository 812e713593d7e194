"""The service, asked over HTTP."""

import json
import os
import time
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError

from ..core.errors import UserError

PATIENCE = 30  # seconds for an answer
BUSY, TRIES = 503, 10


class Client:
    """Asks with the keys of the environment (API_KEY; ADMIN_KEY to change the model)."""

    def __init__(self, url: str) -> None:
        """`url`: such as http://127.0.0.1:8000. Raises UserError if it is no web address."""
        if not url.startswith(("http://", "https://")):
            raise UserError(f"'{url}' is not the address of a service: write http://HOST:PORT.")
        self.url = url.rstrip("/")

    def post(self, path: str, content: Any) -> tuple[int, Any]:
        """Status and content of the answer; one that is too busy is asked again.

        Raises UserError if the service does not answer, or does not know the key.
        """
        for wait in range(TRIES):
            status, told = self._asked(path, json.dumps(content).encode())
            if status != BUSY:
                break
            time.sleep(0.1 * 2**wait)
        if status in (401, 403):
            name = "ADMIN_KEY" if path.startswith("/model") else "API_KEY"
            raise UserError(f"{self.url} says: {told['detail']}; set {name} as the service has it.")
        return status, told

    def get(self, path: str) -> Any:
        """Raises UserError if the service does not answer well."""
        status, told = self._asked(path, None)
        if status != 200:
            raise UserError(f"{self.url}{path} answers with {status}: see the log of the service.")
        return told

    def known(self) -> None:
        """Raises UserError unless a service of this kind answers there."""
        status, told = self._asked("/info", None)
        if status != 200 or not isinstance(told, dict) or "model_version" not in told:
            raise UserError(
                f"{self.url} is not this project's service: start that, or correct --url."
            )

    def ready(self) -> None:
        """Raises UserError unless the service answers and ADMIN_KEY may change its model."""
        self.known()
        self.post("/model/swap", {})  # which names no model, and changes nothing

    def _asked(self, path: str, body: bytes | None) -> tuple[int, Any]:
        name = "ADMIN_KEY" if path.startswith("/model") else "API_KEY"
        headers = {"Content-Type": "application/json", "X-API-Key": os.environ.get(name, "")}
        request = urllib.request.Request(f"{self.url}{path}", body, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                return answer.status, _read(answer)
        except HTTPError as error:
            return error.code, _read(error)
        except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise UserError(
                f"{self.url} does not answer ({reason}): start the service, or correct --url."
            ) from error


def _read(answer: Any) -> Any:
    content = answer.read().decode(errors="replace")
    return json.loads(content) if "json" in answer.headers.get("Content-Type", "") else content
