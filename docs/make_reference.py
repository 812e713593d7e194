"""Write docs/reference/: each key of the team's four files, as the models in src/mlops declare it.

`uv run python docs/make_reference.py` after a change of a model; a folder as argument is another
place to write to.
"""

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "template" / "src"))

from mlops.core.strict_model import StrictModel  # noqa: E402

StrictModel.model_config["use_attribute_docstrings"] = True  # read before the models are made

from mlops.business.prices import Prices  # noqa: E402
from mlops.core.params import Params  # noqa: E402
from mlops.core.problem import Problem  # noqa: E402
from mlops.data import odcs  # noqa: E402
from mlops.data.contract import Contract  # noqa: E402

Schema = dict[str, Any]
HEAD = "| key | value | default | meaning |\n|---|---|---|---|\n"
TYPES = {
    "boolean": "true or false",
    "date": "date",
    "integer": "whole number",
    "object": "text for text",
    "string": "text",
}
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
CONTRACT = """\
The file is a document of the [Open Data Contract Standard](https://bitol.io): `apiVersion` is
`v3.2.0`, `kind` is `DataContract`, and `schema` holds one table. What the standard has no key for
is a custom property, such as `{property: role, value: target}`. These keys may stand in the file
for people and other tools, and are not read: """


def make_pages() -> dict[str, str]:
    """Make the text of each page, by its file name."""
    return {
        "problem.md": describe_file("problem.yaml", Problem),
        "contract.md": describe_contract(),
        "params.md": describe_file("params.yaml", Params),
        "prices.md": describe_file("prices.yaml", Prices),
    }


def describe_file(name: str, model: type[StrictModel]) -> str:
    """Describe a file: its own keys, then those of each section, as deep as they go."""
    schema = model.model_json_schema()
    return f"# {name}\n\n{describe_section(schema, schema['$defs'], '')}"


def describe_section(schema: Schema, sections: Schema, path: str) -> str:
    """Describe a section, and those within it; two of the same model have one table."""
    within: dict[str, list[str]] = {}
    for key, entry in schema["properties"].items():
        if name := find_section(entry):
            within.setdefault(name, []).append(f"{path}.{key}".lstrip("."))
    text = f"{schema['description']}\n\n{HEAD}{''.join(list_rows(schema, sections))}"
    return text + "".join(
        f"\n## {', '.join(paths)}\n\n{describe_section(sections[name], sections, paths[0])}"
        for name, paths in within.items()
    )


def describe_contract() -> str:
    """Describe contract.yaml, whose keys lie where the standard wants them."""
    schema = Contract.model_json_schema()
    sections = schema["$defs"]
    column = sections["Column"]
    table = {"name", "columns"}
    custom = set(schema["properties"]) - table - {"id", "version"}
    notes = ", ".join(f"`{key}`" for key in sorted(odcs.NOTES - {"id"}))
    parts = {
        "The document": list_rows(schema, sections, {"id", "version"}),
        "The table, in `schema`": list_rows(schema, sections, table, {"columns": "properties"}),
        "The table's `customProperties`": list_rows(schema, sections, custom),
        "A column, in `properties`": list_rows(column, sections, list_keys(column, "")),
    }
    for part in ("logicalTypeOptions", "customProperties"):
        parts[f"A column's `{part}`"] = list_rows(column, sections, list_keys(column, part))
    tables = [f"## {title}\n\n{HEAD}{''.join(rows)}" for title, rows in parts.items()]
    tables.append(f"## Keys and cleaning\n\n{column['description']}\n")
    intro = f"{schema['description']} It is the data engineer's file.\n\n{CONTRACT}{notes}.\n\n"
    return f"# contract.yaml\n\n{intro}" + "\n".join(tables)


def list_keys(column: Schema, part: str) -> set[str]:
    """List the keys that are written in this part of a column, "" for the column itself."""
    return {key for key in column["properties"] if find_part(key) == part}


def find_part(key: str) -> str:
    """Find where a column has a key, by writing one that has no other."""
    written = odcs.format_column({key: ["text"]})
    return "" if key in written else next(iter(written))


def list_rows(
    schema: Schema, sections: Schema, keys: set[str] | None = None, names: Schema | None = None
) -> list[str]:
    """List a row of a table for each key, or for some, that may have other names in the file."""
    rows = []
    for key, entry in schema["properties"].items():
        if keys is None or key in keys:
            name = (names or {}).get(key, key)
            required = key in schema.get("required", ())
            plain = "default" in entry and not find_section(entry)
            default = "required" if required else show(entry["default"]) if plain else ""
            cells = [f"`{name}`", describe_values(entry), default, explain(entry, sections)]
            rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
    return rows


def explain(entry: Schema, sections: Schema) -> str:
    """Explain a key by its own docstring, or by the first paragraph of its section's."""
    text = entry.get("description") or sections.get(find_section(entry), {}).get("description")
    if not text:
        raise SystemExit(f"{entry.get('title')} has no docstring below it in its model: add one.")
    return str(text).partition("\n\n")[0]


def find_section(entry: Schema) -> str:
    """Find the name of the model that an entry, or each of a list, is made by; "" if by none."""
    reference = entry.get("$ref") or entry.get("items", {}).get("$ref", "")
    return str(reference).rpartition("/")[2]


def describe_values(entry: Schema) -> str:
    """Describe which values an entry may have."""
    if find_section(entry):
        return "list of sections" if "items" in entry else "section"
    if "anyOf" in entry:
        types = [one["type"] for one in entry["anyOf"] if "type" in one]
        wider = [o for o in entry["anyOf"] if o.get("type") != "integer" or "number" not in types]
        return "; or ".join(describe_values(one) for one in wider)
    if "enum" in entry:
        return ", ".join(show(value) for value in entry["enum"])
    if entry["type"] == "array":
        return f"list of {describe_values(entry['items'])}s"
    words = TYPES.get(entry.get("format", entry["type"]), entry["type"])
    bounds = [f"{word} {entry[key]:g}" for key, word in BOUNDS.items() if key in entry]
    if "examples" in entry:
        words += f" such as {', '.join(map(show, entry['examples']))}"
    return ", ".join([words, *bounds])


def show(value: Any) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "reference"
    for name, text in make_pages().items():
        (folder / name).write_text(text, encoding="utf-8")
