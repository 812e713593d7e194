"""A contract as an Open Data Contract Standard file, read strictly and written to be reviewed.

ODCS: https://bitol-io.github.io/open-data-contract-standard/v3.2.0/. What it has no key for
(role, known at decision time, cleaning) stands in `customProperties`, where it wants such things.
A key that would look like a rule and not be enforced is refused.
"""

from collections.abc import Set
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from open_data_contract_standard.model import OpenDataContractStandard
from pydantic import ValidationError

from ..errors import UserError
from ..settings import explain, read_yaml
from .contract import Column, Contract

HEADING = """\
# The data contract: what each column of the table means and must be.
# Drafted from the data; please review, line by line:
#   knownAtDecision: false   for every column that is filled in only AFTER the decision is made:
#                            the model never sees it (add it under customProperties)
#   minimum, maximum, enum   are they what may happen, or only what has happened so far?
#   protected, slice: true   people, or parts of the business, to be treated no worse than others
#   role                     feature (when not said), target, time, group, ignored
#   missingValues, formats, decimal, spelling   how delivered text is cleaned
# Rows that break a rule go to quarantine with the reason. Open Data Contract Standard (bitol.io).
"""

# fields of a column <-> custom properties; the other fields have keys of the standard
CUSTOM = {
    "role": "role",
    "known_at_decision": "knownAtDecision",
    "protected": "protected",
    "slice": "slice",
    "missing": "missingValues",
    "formats": "formats",
    "decimal": "decimal",
    "spelling": "spelling",
    "leak_reviewed": "leakReviewed",
}
TABLE = {"task": "task", "classes": "classes", "duplicates": "duplicates"}
NAMES = {"type": "logicalType", "categories": "enum", **CUSTOM, **TABLE}
LISTS = {"missing", "formats", "classes", "categories"}
# keys of a property that are read, and keys that only describe and may stand there unread
READ = {
    *("name", "description", "logicalType", "logicalTypeOptions", "required", "enum"),
    *("primaryKey", "primaryKeyPosition", "customProperties"),
}
UNREAD = {
    *("id", "businessName", "physicalName", "physicalType", "tags", "classification", "examples"),
    *("authoritativeDefinitions", "semanticType", "synonyms", "criticalDataElement"),
    *("encryptedName", "deprecated", "transformDescription"),
}


Model = TypeVar("Model", Column, Contract)


class Flow(dict[str, Any]):
    """A mapping written on one line."""


class FlowList(list[Any]):
    """A list written on one line."""


class Dumper(yaml.SafeDumper):
    """Block style for the outline, one line for the leaves."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


Dumper.add_representer(
    Flow, lambda dumper, flow: dumper.represent_mapping("tag:yaml.org,2002:map", flow, True)
)
Dumper.add_representer(
    FlowList, lambda dumper, flow: dumper.represent_sequence("tag:yaml.org,2002:seq", flow, True)
)


def text(contract: Contract) -> str:
    """The file's text. Reading it gives an equal contract."""
    document = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": contract.id,
        "name": contract.name,
        "version": contract.version,
        "status": "active",
        "schema": [
            {
                "name": contract.name,
                "logicalType": "object",
                "customProperties": _custom(contract, TABLE),
                "properties": [_written(column) for column in contract.columns],
            }
        ],
    }
    body = yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    return HEADING + body


def _written(column: Column) -> dict[str, Any]:
    limits = {"minimum": column.minimum, "maximum": column.maximum}
    options = Flow({key: _short(limit) for key, limit in limits.items() if limit is not None})
    categories = FlowList(Flow(value=category) for category in column.categories or ())
    known = {"role"} if column.role in ("feature", "key") else set()
    entries = {
        "name": column.name,
        "description": column.description,
        "logicalType": column.type,
        "primaryKey": column.role == "key",
        "required": column.required,
        "logicalTypeOptions": options,
        "enum": categories,
        "customProperties": _custom(column, CUSTOM, leave_out=known),
    }
    return {key: entry for key, entry in entries.items() if entry}


def _custom(
    model: Column | Contract, names: dict[str, str], leave_out: Set[str] = frozenset()
) -> list[Flow]:
    """The fields that differ from their default (or have none), one line each."""
    fields = type(model).model_fields
    return [
        Flow(property=name, value=_plain(getattr(model, field)))
        for field, name in names.items()
        if field not in leave_out
        and getattr(model, field) != fields[field].get_default(call_default_factory=True)
    ]


def _plain(value: Any) -> Any:
    return FlowList(value) if isinstance(value, tuple) else value


def _short(number: float) -> float | int:
    return int(number) if number.is_integer() else number


def read(path: str | Path) -> Contract:
    """The contract in the file. Raises UserError, one sentence, naming the column and the key."""
    content = read_yaml(str(path))
    try:
        document = OpenDataContractStandard.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = _place(first["loc"], content)
        raise UserError(f"{path}: {where}: {explain(first)}.") from error
    if document.kind != "DataContract" or not str(document.apiVersion).startswith("v3."):
        raise UserError(f"{path}: kind must be DataContract and apiVersion v3.2.0.")
    tables = content.get("schema") or []
    if len(tables) != 1 or not tables[0].get("properties"):
        raise UserError(f"{path}: schema must hold exactly one table with its properties.")
    columns = [_column(path, entry) for entry in tables[0]["properties"]]
    entries = {
        "id": document.id,
        "name": tables[0].get("name"),
        "version": document.version,
        "columns": tuple(columns),
        **_custom_fields(f"{path}: table", tables[0], TABLE),
    }
    return _checked(Contract, f"{path}: table", entries)


def _place(loc: tuple[int | str, ...], content: Any) -> str:
    """Where it is, with the column by its name."""
    if len(loc) > 4 and loc[0] == "schema" and loc[2] == "properties":
        table, _, number, *rest = loc[1:]
        name = content["schema"][table]["properties"][number].get("name")
        return f"column '{name}': {'.'.join(str(part) for part in rest)}"
    return ".".join(str(part) for part in loc) or "the top level"


def _column(path: str | Path, entry: dict[str, Any]) -> Column:
    where = f"{path}: column '{entry.get('name')}'"
    for key in entry:
        _known(where, key, READ, READ | UNREAD)
    options = entry.get("logicalTypeOptions") or {}
    for key in options:
        _known(f"{where}: logicalTypeOptions", key, {"minimum", "maximum"})
    fields = {
        "name": entry.get("name"),
        "type": entry.get("logicalType"),
        "required": entry.get("required", False),
        "description": entry.get("description") or "",
        "categories": _values(where, entry.get("enum")),
        **options,
        **_custom_fields(where, entry, CUSTOM),
    }
    if entry.get("primaryKey") and fields.setdefault("role", "key") != "key":
        raise UserError(f"{where}: it cannot be primaryKey and have the role {fields['role']}.")
    return _checked(Column, where, {key: value for key, value in fields.items() if value != ()})


def _values(where: str, enum: Any) -> tuple[Any, ...] | None:
    if enum is None:
        return None
    if not isinstance(enum, list) or not all(isinstance(item, dict) for item in enum):
        raise UserError(f"{where}: enum must be a list of entries like {{value: abc}}.")
    return tuple(item.get("value") for item in enum)


def _custom_fields(where: str, holder: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Field -> value, from the custom properties."""
    fields = {name: field for field, name in names.items()}
    found: dict[str, Any] = {}
    for entry in holder.get("customProperties") or []:
        name, value = entry.get("property"), entry.get("value")
        _known(f"{where}: customProperties", name, set(fields))
        if fields[name] in found:
            raise UserError(f"{where}: {name} stands there twice; keep one.")
        if fields[name] in LISTS:
            if not isinstance(value, list):
                raise UserError(f"{where}: {name} must be a list like [a, b], not {value!r}.")
            value = tuple(value)
        found[fields[name]] = value
    return found


def _known(where: str, key: Any, offered: set[str], allowed: set[str] | None = None) -> None:
    if key not in (allowed or offered):
        near = get_close_matches(str(key), offered, 1)
        advice = f"did you mean {near[0]}" if near else f"known here: {', '.join(sorted(offered))}"
        raise UserError(f"{where}: '{key}' is not enforced by this project; {advice}.")


def _checked(model: type[Model], where: str, fields: dict[str, Any]) -> Model:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        key = NAMES.get(str(first["loc"][0]), first["loc"][0])
        raise UserError(f"{where}: {key}: {explain(first)}.") from error
