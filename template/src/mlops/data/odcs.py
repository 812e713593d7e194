"""A contract as an Open Data Contract Standard file, read strictly and written to be reviewed.

ODCS: https://bitol-io.github.io/open-data-contract-standard/v3.2.0/. What it has no key for
(role, known at decision time, cleaning) stands in `customProperties`, where it wants such things.
A key that would look like a rule and not be enforced is refused.
"""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty
from pydantic import BaseModel, ValidationError

from ..core.errors import UserError
from ..core.strict_model import explain_fault, read_yaml

HEADING = """\
# The data contract: what each column of the table means and must be. Drafted from the data; review:
#   knownAtDecision: false   (in customProperties) for each column that is filled in only AFTER the
#                            decision is made: the model never sees it
#   minimum, maximum         are they what may happen, or only what has happened so far?
#   knownCategories          (in customProperties) were met so far; others come in, and are told.
#                            enum in its place: no others may come
#   freeText: true           (in customProperties) is read for its words, and is no category
#   protected, slice: true   people, or parts of the business, to be treated no worse than others
#   role                     feature (when not said, or key), target, time, group, ignored
# Rows that break a rule go to quarantine with the reason. Open Data Contract Standard (bitol.io).
"""
PLAIN = ("name", "description", "logicalType", "primaryKey", "required")
NOTES = {  # keys that only describe: they may stand in the file, and are not read
    *("id", "businessName", "physicalName", "physicalType", "tags", "classification", "examples"),
}

Model = TypeVar("Model", bound=BaseModel)


def read_contract(path: str | Path, contract: type[Model], column: type[BaseModel]) -> Model:
    """Read the file as these models. Raises UserError naming the column and the key at fault."""
    content = read_yaml(str(path))
    match content:
        case {"schema": [{"properties": [{}, *_] as properties} as table]}:
            columns = [_read_column(column, entry, path) for entry in properties]
        case _:
            raise UserError(f"{path}: schema must hold exactly one table with its properties.")
    document = _check(OpenDataContractStandard, content, str(path))
    if document.kind != "DataContract" or not str(document.apiVersion).startswith("v3."):
        raise UserError(f"{path}: kind must be DataContract and apiVersion v3.2.0.")
    entries = {"id": document.id, "version": document.version, "columns": tuple(columns)}
    described = {key: table.get(key) for key in ("name", "customProperties")}
    where = f"{path}: table"
    return _check(contract, entries | _gather_entries(described, where), where)


def _read_column(column: type[Model], holder: Any, path: str | Path) -> Model:
    where = f"{path}: column '{dict(holder).get('name')}'"
    _check(SchemaProperty, holder, where)
    return _check(column, _gather_entries(holder, where), where)


def _gather_entries(holder: dict[str, Any], where: str) -> dict[str, Any]:
    """Gather what a table or column says, by keys of the standard or by custom properties."""
    entries: list[tuple[str, Any]] = []
    for key, value in holder.items():
        if key == "customProperties":
            entries += [(custom.get("property"), custom.get("value")) for custom in value or ()]
        elif key == "logicalTypeOptions":
            entries += (value or {}).items()
        elif key == "enum" and value is not None:
            entries.append((key, [allowed.get("value") for allowed in value]))
        elif key not in NOTES and value is not None:
            entries.append((key, value))
    names = [name for name, _ in entries]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{where}: {name} is given twice; keep one.")
    gathered = dict(entries)
    if gathered.get("primaryKey") and "role" not in gathered:
        gathered |= {"role": "key", "primaryKey": False}
    return gathered


def _check(model: type[Model], content: Any, where: str) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        words = explain_fault(first).replace("tuple", "list")
        raise UserError(f"{where}: {key}: {words}.") from error


class Flow(dict[str, Any]):
    """A mapping written on one line."""


yaml.SafeDumper.add_representer(
    Flow, lambda dumper, flow: dumper.represent_mapping("tag:yaml.org,2002:map", flow, True)
)


def format_contract(entries: dict[str, Any]) -> str:
    """Format the file's text for the entries of a contract, their "columns" among them."""
    left = dict(entries)
    head = {key: left.pop(key) for key in ("id", "name", "version")}
    columns = [format_column(column) for column in left.pop("columns")]
    table = {
        "name": head["name"],
        "customProperties": _list_custom_properties(left),
        "properties": columns,
    }
    document = {"apiVersion": "v3.2.0", "kind": "DataContract", "status": "active", **head}
    document["schema"] = [table]
    return HEADING + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def format_column(column: dict[str, Any]) -> dict[str, Any]:
    """Arrange the entries of a column as the file has them."""
    left = dict(column)
    if left.get("role") == "key":
        left["primaryKey"] = bool(left.pop("role"))
    elif left.get("primaryKey"):
        left.setdefault("role", "feature")  # without a role it would be nothing but a key
    entries = {
        **{key: left.pop(key, None) for key in PLAIN},
        "logicalTypeOptions": Flow({k: left.pop(k) for k in ("minimum", "maximum") if k in left}),
        "enum": [Flow(value=allowed) for allowed in left.pop("enum", ())],
    }
    entries["customProperties"] = _list_custom_properties(left)
    return {key: entry for key, entry in entries.items() if entry}


def _list_custom_properties(entries: dict[str, Any]) -> list[Flow]:
    return [Flow(property=name, value=value) for name, value in entries.items()]
