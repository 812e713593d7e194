"""The OpenAPI document: made from the contract that the model in service was trained with."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from pydantic_core import to_json

from .faults import DAY, Fault
from .guard import ADMIN, Swap
from .service import Service
from .service_metrics import WORK

Schema = dict[str, Any]
PLACE = "#/components/schemas/{model}"
PROBLEM, REFUSED = PLACE.format(model="Problem"), PLACE.format(model="Refused")
KEY = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
SAMPLES = {
    "integer": 900001,
    "number": 1.5,
    "boolean": True,
    "string": "A-17",
    "date": DAY,
    "timestamp": f"{DAY}T14:30:00",
}
PROBLEMS = {
    "401": "The header X-API-Key is not right",
    "403": "This is switched off",
    "408": "The request came too slowly",
    "409": "The model is not fit to serve, and nothing changed",
    "413": "The request is too large",
    "422": "The request breaks the contract",
    "503": "Too much at once, or not possible now; try again",
}
POSSIBLE = {
    "/predict": ("401", "408", "413", "422", "503"),
    "/feedback": ("401", "408", "413", "422", "503"),
    "/readyz": ("503",),
    "/model/swap": ("401", "403", "408", "409", "413", "422"),
    "/model/rollback": ("401", "403", "409"),
    "/model/shadow": ("401", "403", "408", "409", "413", "422"),
}


def document(app: FastAPI, service: Service) -> Schema:
    """For /openapi.json and the page /docs."""
    meta, requests = service.model.meta, service.model.requests
    asked = {
        "/predict": requests.records,
        "/feedback": requests.truths,
        "/model/swap": (TypeAdapter(Swap),),
        "/model/shadow": (TypeAdapter(Swap),),
    }
    found, shared = TypeAdapter.json_schemas(
        [
            *(
                (f"{path} {place}", "validation", adapter)
                for path, adapters in asked.items()
                for place, adapter in enumerate(adapters)
            ),
            ("faults", "serialization", TypeAdapter(list[Fault])),
        ],
        ref_template=PLACE,
    )
    made = get_openapi(
        title=f"{meta['contract']['id']}: {meta['target']}",
        version=service.model.name,
        description=f"Decides on {meta['target']} ({meta['task']}), by {meta['candidate']}.",
        routes=app.routes,
    )
    components = made.setdefault("components", {})
    components["schemas"] = shared.get("$defs", {}) | {
        "Answer": answered(meta),
        "Problem": _object(detail={"type": "string"}),
        "Refused": _object(detail=found["faults", "serialization"]),
    }
    for path, adapters in asked.items():
        schemas = [found[f"{path} {place}", "validation"] for place in range(len(adapters))]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        made["paths"][path]["post"]["requestBody"] = {"required": True, "content": _json(schema)}
    return _finished(made, service)


def _finished(made: Schema, service: Service) -> Schema:
    """With all answers, the key where one is asked for, and an example where one helps."""
    options = service.options
    keys = dict.fromkeys(("/predict", "/feedback"), options.api_key)
    keys |= dict.fromkeys(ADMIN, options.admin_key)
    if any(keys.values()):
        made["components"]["securitySchemes"] = {"key": KEY}
    record, told, truths = examples(service)
    answer, paths = {"$ref": PLACE.format(model="Answer")}, made["paths"]
    several = {"anyOf": [answer, {"type": "array", "items": answer}]}
    shown = {"/predict": {"example": record}, "/feedback": {"examples": truths}}
    for path, example in shown.items():
        paths[path]["post"]["requestBody"]["content"]["application/json"].update(example)
    for path, methods in paths.items():
        for operation in methods.values():
            operation["summary"] = operation.pop("description")
            operation["tags"] = [group(path)]
            possible = POSSIBLE.get(path, ())
            content = _json({"type": "object"})
            if path == "/predict":
                content = _json(several, example=told)
            if path == "/metrics":
                content = {"text/plain": {"schema": {"type": "string"}}}
            good = "202" if path == "/feedback" else "200"
            operation["responses"] = {good: {"description": "Done", "content": content}} | {
                status: {
                    "description": PROBLEMS[status],
                    "content": _json({"$ref": REFUSED if status == "422" else PROBLEM}),
                }
                for status in possible
                if status != "401" or keys[path]
            }
            if keys.get(path):
                operation["security"] = [{"key": []}]
    return made


def group(path: str) -> str:
    """Under which heading it stands on the page."""
    if path in WORK:
        return "Decisions"
    return "The model in use" if path in ADMIN or path == "/info" else "Operation"


def examples(service: Service) -> tuple[Schema, Schema, Schema]:
    """A record, the answer to it, and the truth about it when that is known, in each form."""
    model = service.model
    case = model.meta["cases"][0]
    [told] = model.answers(model.feed(model.requests.read(to_json(case["record"])).records))
    answer = {"id": "c4ca4238a0b923820dcc509a6f75849b"} | told | {"model_version": model.name}
    truth = {"truth": told["prediction"]}
    truths = {"by the id of a prediction": {"id": answer["id"]} | truth}
    if key := {c["name"]: _sample(c) for c in model.meta["columns"] if c["key"]}:
        truths["by the key of a record"] = {"key": key} | truth
    return key | case["record"], answer, {name: {"value": each} for name, each in truths.items()}


def _sample(column: Schema) -> Any:
    """A value that the column may have."""
    if column["categories"]:
        return column["categories"][0]
    limits = (column["minimum"], column["maximum"])
    return next((limit for limit in limits if limit is not None), SAMPLES[column["type"]])


def answered(meta: Schema) -> Schema:
    """What is told of one record."""
    choice: Schema = {"type": "string", "enum": meta["classes"]}
    number: Schema = {"type": "number"}
    prediction = choice if meta["classes"] else number
    decision = {"type": "boolean"} if meta["task"] == "binary" else prediction
    return _object(
        id={"type": "string"},
        prediction=prediction,
        score=number,
        decision=decision,
        model_version={"type": "string"},
    )


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _json(schema: Schema, **more: Any) -> Schema:
    return {"application/json": {"schema": schema, **more}}
