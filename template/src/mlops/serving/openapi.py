"""The OpenAPI document: FastAPI's own, by the contract that the served model was trained with."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import Body, FastAPI, Security
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, create_model
from pydantic_core import to_json

from .faults import DAY, Fault
from .guard import ADMIN, Swap
from .service import Service
from .service_metrics import WORK

SAMPLES = {
    "integer": 900001,
    "number": 1.5,
    "boolean": True,
    "string": "A-17",
    "date": DAY,
    "timestamp": f"{DAY}T14:30:00",
}
PROBLEMS = {
    401: "The header X-API-Key is wrong",
    403: "This is switched off, or a page of another site asks",
    408: "The request came too slowly",
    409: "The model is not fit to serve, and nothing changed",
    413: "The request is too large",
    415: "The request is compressed, or no JSON",
    422: "The request breaks the contract",
    503: "Too much at once, or not possible now; try again",
}
POSSIBLE = {
    "/predict": (401, 403, 408, 413, 415, 422, 503),
    "/feedback": (401, 403, 408, 413, 415, 422, 503),
    "/readyz": (503,),
    "/model/swap": (401, 403, 408, 409, 413, 415, 422, 503),
    "/model/rollback": (401, 403, 409),
    "/model/shadow": (401, 403, 408, 409, 413, 415, 422, 503),
}


class Problem(BaseModel):
    """Why there is no answer."""

    detail: str


class Refused(BaseModel):
    """What in the request breaks the contract."""

    detail: list[Fault]


def describe_api(app: FastAPI, service: Service) -> dict[str, Any]:
    """Describe the routes of `app`, for /openapi.json and the page /docs.

    The routes read and write bytes themselves, and the model may be swapped while they are served.
    So FastAPI is given routes that only look like them, by the model in service now.
    """
    meta, requests = service.model.meta, service.model.requests
    described = FastAPI(
        title=f"{meta['contract']['id']}: {meta['target']}",
        version=service.model.name,
        description=f"Decides on {meta['target']} ({meta['task']}), by {meta['candidate']}.",
    )
    record, decision, truths = make_examples(service)
    swap = operation_taking(Swap, {})
    operations = {
        "/predict": operation_taking(requests.records.type, {"a record": record}),
        "/feedback": operation_taking(requests.truths.type, truths),
        "/model/swap": swap,
        "/model/shadow": swap,
    }
    answer: Any = make_answer_model(meta)
    answers: Any = answer | list[answer]
    keys = dict.fromkeys(WORK, service.options.api_key)
    keys |= dict.fromkeys(ADMIN, service.options.admin_key)
    for route in (each for each in app.routes if isinstance(each, APIRoute)):
        path, key = route.path, keys.get(route.path)
        responses: dict[int | str, dict[str, Any]] = {
            status: {
                "description": PROBLEMS[status],
                "model": Refused if status == 422 else Problem,
            }
            for status in POSSIBLE.get(path, ())
            if status != 401 or key
        }
        if path == "/predict":
            responses[200] = {"content": {"application/json": {"example": decision}}}
        described.add_api_route(
            path,
            operations.get(path, operation_taking_nothing),
            name=route.name,
            methods=[*(route.methods or ())],
            include_in_schema=route.include_in_schema,
            summary=route.description,
            tags=[find_group(path)],
            status_code=202 if path == "/feedback" else 200,
            response_model=answers if path == "/predict" else dict[str, Any],
            response_class=PlainTextResponse if path == "/metrics" else JSONResponse,
            responses=responses,
            dependencies=[Security(APIKeyHeader(name="X-API-Key"))] if key else [],
        )
    return described.openapi()


def operation_taking(kind: Any, examples: dict[str, Any]) -> Callable[..., None]:
    """Make an operation whose body is of the kind, with examples by their names."""
    described: Any = {name: {"value": value} for name, value in examples.items()}

    def operation(body: Annotated[kind, Body(openapi_examples=described)]) -> None: ...

    return operation


def operation_taking_nothing() -> None: ...


def find_group(path: str) -> str:
    """Return the heading under which the page shows an operation."""
    if path in WORK:
        return "Decisions"
    return "The model in use" if path in ADMIN or path == "/info" else "Operation"


def make_examples(service: Service) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return a record, the answer to it, and what is later known about it in each form, by name."""
    model = service.model
    case = model.meta["cases"][0]
    parsed = model.requests.read(to_json(case["record"]))
    [answer] = model.answers(model.feed(parsed.records))
    answer = {"id": "c4ca4238a0b923820dcc509a6f75849b"} | answer | {"model_version": model.name}
    truth = {"truth": answer["prediction"]}
    truths = {"by the id of a prediction": {"id": answer["id"]} | truth}
    if key := {c["name"]: _sample(c) for c in model.meta["columns"] if c["key"]}:
        truths["by the key of a record"] = {"key": key} | truth
    return key | case["record"], answer, truths


def _sample(column: dict[str, Any]) -> Any:
    """Return a value that the column may have."""
    if known := column["categories"] or column.get("known_categories"):
        return known[0]
    limits = (column["minimum"], column["maximum"])
    return next((limit for limit in limits if limit is not None), SAMPLES[column["type"]])


def make_answer_model(meta: dict[str, Any]) -> Any:
    """Make the model of the answer to one record."""
    prediction: Any = Literal[tuple(meta["classes"])] if meta["classes"] else float
    return create_model(
        "Answer",
        id=str,
        prediction=prediction,
        score=float,
        decision=bool if meta["task"] == "binary" else prediction,
        model_version=str,
    )
