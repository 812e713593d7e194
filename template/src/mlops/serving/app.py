"""The service over HTTP."""

import asyncio
import hmac
import logging
import signal
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi_offline import FastAPIOffline
from pydantic import ValidationError

from ..core.errors import UserError
from .admission import BUSY, Admission, ProblemError, answer
from .faults import RefusedError
from .guard import Guard, Swap
from .journal import Kept
from .openapi import describe_api
from .service import CHAMPION, PROBE, Service

log = logging.getLogger(__name__)
LARGE = 20_000  # bytes of a request: to answer it takes long enough for others to notice
BESIDE = 2  # of them at once: each takes many times its own bytes while it is worked on


def create(service: Service) -> Guard:
    """The application behind its guard."""
    options, journal = service.options, service.journal
    admission = Admission(options, service.metrics)
    beside = ThreadPoolExecutor(BESIDE, "large")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        _listen({"SIGHUP": service.reload, "SIGUSR1": service.roll_back})
        app.state.ready = True
        yield
        app.state.ready = False
        beside.shutdown()
        service.close()

    app = FastAPIOffline(lifespan=lifespan)
    app.openapi = lambda: describe_api(app, service)  # type: ignore[method-assign]
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(RefusedError, _refused)

    async def taken(request: Request) -> bytes:
        """The body of a request that may be worked on."""
        _authorise(request, options.api_key)
        content = await admission.take(request)
        if not journal.has_room(len(content)):
            raise ProblemError(503, "the journal is behind; try again", BUSY)
        return content

    async def held(kept: Kept | None, content: Any, status: int = 200) -> Response:
        """The answer, once the journal holds it if it has to."""
        if kept and not await asyncio.wrap_future(kept):
            raise ProblemError(503, "the journal cannot be written; try again", BUSY)
        return answer(content, status)

    @app.get("/", include_in_schema=False)
    async def root() -> Response:
        """Whoever opens the address in a browser wants to know what can be asked."""
        return RedirectResponse("docs")  # beside it, wherever a proxy has put it

    @app.post("/predict")
    async def predict(request: Request) -> Response:
        """A decision for one record, or for each of a list of them."""
        content = await taken(request)
        role = PROBE if _is_probe(request, options.admin_key) else CHAMPION
        kept = Kept() if journal.durable else None
        if len(content) > LARGE:
            work = asyncio.get_running_loop().run_in_executor
            return await held(kept, await work(beside, service.predict, content, role, kept))
        return await held(kept, service.predict(content, role, kept))

    @app.post("/feedback")
    async def feedback(request: Request) -> Response:
        """What really was, by the id of a prediction or by the key of a record."""
        content = await taken(request)
        kept = Kept() if journal.durable else None
        return await held(kept, {"accepted": service.learn(content, kept)}, 202)

    @app.get("/info")
    async def info() -> Response:
        """The model in use, and what it decides."""
        return answer(service.info())

    @app.get("/healthz")
    async def healthz() -> Response:
        """Is the process alive?"""
        return answer({"status": "alive"})

    @app.get("/readyz")
    async def readyz() -> Response:
        """May it be sent requests?"""
        if not getattr(app.state, "ready", False):
            raise ProblemError(503, "it is starting or stopping", BUSY)
        return answer({"status": "ready"})

    @app.get("/metrics")
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(service.metrics.page(), media_type="text/plain; version=0.0.4")

    _add_model_routes(app, service, admission)
    return Guard(app, service, admission)


def _add_model_routes(app: FastAPI, service: Service, admission: Admission) -> None:
    """Add what changes the model in use, for who has the admin key."""
    options = service.options

    async def changed(change: Callable[..., Any], *arguments: str) -> Response:
        try:
            await asyncio.to_thread(change, *arguments)
        except UserError as error:
            raise ProblemError(409, str(error)) from error
        return answer(service.info())

    @app.post("/model/swap")
    async def swap(request: Request) -> Response:
        """Answer with another model, once it has been loaded and tried."""
        _authorise(request, options.admin_key, closed=True)
        return await changed(service.swap, *_wanted(await admission.take(request)))

    @app.post("/model/shadow")
    async def shadow(request: Request) -> Response:
        """Have another model score the same records without answering; "" ends that."""
        _authorise(request, options.admin_key, closed=True)
        return await changed(service.follow, *_wanted(await admission.take(request)))

    @app.post("/model/rollback")
    async def rollback(request: Request) -> Response:
        """Answer with the model before this one."""
        _authorise(request, options.admin_key, closed=True)
        return await changed(service.roll_back)


def _authorise(request: Request, key: str, closed: bool = False) -> None:
    """Raises ProblemError if the request lacks the key; without a key all may, or none."""
    if not key and closed:
        raise ProblemError(403, "this is switched off: the service has no ADMIN_KEY")
    given = request.headers.get("x-api-key", "")
    if key and not hmac.compare_digest(given.encode(), key.encode()):
        raise ProblemError(401, "the header X-API-Key is wrong")


def _is_probe(request: Request, key: str) -> bool:
    """Tell whether who deploys asks; anybody else would hide from all figures by saying so."""
    given = request.headers.get("x-probe")
    return bool(given and key) and hmac.compare_digest(str(given).encode(), key.encode())


def _wanted(body: bytes) -> tuple[str, str]:
    """Address and checksum of a model. Raises RefusedError."""
    try:
        wanted = Swap.model_validate_json(body)
    except ValidationError as error:
        raise RefusedError.of(error) from error
    return wanted.uri, wanted.sha256


async def _problem(_: Request, error: Any) -> Response:
    return answer({"detail": error.detail}, error.status, error.headers)


async def _refused(_: Request, error: Any) -> Response:
    return answer({"detail": [fault.model_dump() for fault in error.faults]}, 422)


def _listen(changes: dict[str, Callable[[], Any]]) -> None:
    """Have signals change the model; what does not work is logged, and nothing changes."""
    loop = asyncio.get_running_loop()

    def work(change: Callable[[], Any]) -> None:
        try:
            change()
        except UserError as error:
            log.error("the model was not changed", extra={"reason": str(error)})

    for name, change in changes.items():
        if hasattr(signal, name):  # Windows has neither
            number = getattr(signal, name)
            loop.add_signal_handler(number, loop.run_in_executor, None, work, change)
