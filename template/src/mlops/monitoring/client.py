"""Ask the service over HTTP."""

import json
import os
import time
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError

from ..core.errors import UserError

TIMEOUT = 30  # seconds for an answer
BUSY, TRIES = 503, 10


class Client:
    """Asks with the keys of the environment (API_KEY; ADMIN_KEY to change the model)."""

    def __init__(self, url: str) -> None:
        """Take an address such as http://127.0.0.1:8000. Raises UserError if it is none."""
        if not url.startswith(("http://", "https://")):
            raise UserError(f"'{url}' is not the address of a service: write http://HOST:PORT.")
        self.url = url.rstrip("/")

    def post(self, path: str, content: Any) -> tuple[int, Any]:
        """Return status and content of the answer; one that is too busy is asked again.

        Raises UserError if the service does not answer, or does not know the key.
        """
        for wait in range(TRIES):
            status, answer = self._ask(path, json.dumps(content).encode())
            if status != BUSY:
                break
            time.sleep(0.1 * 2**wait)
        if status in (401, 403):
            key = _key_for(path)
            raise UserError(
                f"{self.url} says: {answer['detail']}; set {key} as the service has it."
            )
        return status, answer

    def get(self, path: str) -> Any:
        """Return the content of the answer. Raises UserError if its status is not 200."""
        status, answer = self._ask(path, None)
        if status != 200:
            raise UserError(f"{self.url}{path} answers with {status}: see the log of the service.")
        return answer

    def check_identity(self) -> None:
        """Raise UserError unless a service of this kind answers there."""
        status, answer = self._ask("/info", None)
        if status != 200 or not isinstance(answer, dict) or "model_version" not in answer:
            raise UserError(
                f"{self.url} is not this project's service: start that, or correct --url."
            )

    def check_admin(self) -> None:
        """Raise UserError unless the service answers and ADMIN_KEY may change its model."""
        self.check_identity()
        self.post("/model/swap", {})  # which names no model, and changes nothing

    def _ask(self, path: str, body: bytes | None) -> tuple[int, Any]:
        headers = {
            "Content-Type": "application/json",
            "X-API-Key": os.environ.get(_key_for(path), ""),
        }
        request = urllib.request.Request(f"{self.url}{path}", body, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                return answer.status, _read(answer)
        except HTTPError as error:
            return error.code, _read(error)
        except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise UserError(
                f"{self.url} does not answer ({reason}): start the service, or correct --url."
            ) from error


def _key_for(path: str) -> str:
    return "ADMIN_KEY" if path.startswith("/model") else "API_KEY"


def _read(answer: Any) -> Any:
    content = answer.read().decode(errors="replace")
    return json.loads(content) if "json" in answer.headers.get("Content-Type", "") else content
