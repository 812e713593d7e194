"""What the model's file says of itself, as JSON: all that a service knows of the model."""

from typing import Any, Literal, NotRequired, TypedDict

from ..core.problem import Task


class InputFacts(TypedDict):
    """One value that the model reads: a column as it is, or a `part` of it (inputs.py)."""

    name: str
    column: str
    kind: Literal["number", "text"]
    part: str | None


class SeenValues(TypedDict):
    """The texts that training has seen, as a `filter` (seen_values.py) in base64 with its `hashes`.

    Of new texts, the share `error` counts as seen; the share `expected` of rows is to hold one.
    """

    filter: str
    hashes: int
    error: float
    expected: float


class InputBins(TypedDict):
    """The bins of an input: `labels`, and the `shares` of the rows (0 to 1) that lie in them.

    Numbers lie between `edges` (a number equal to one lies below it), texts are in `categories`;
    what is missing lies in the last bin. `seen` tells texts that training met from new ones; it
    lacks for numbers, for too many texts, and in files that older versions packaged.
    """

    input: str
    kind: Literal["number", "text"]
    edges: NotRequired[list[float]]
    categories: NotRequired[list[str]]
    labels: list[str]
    shares: list[float]
    seen: NotRequired[SeenValues]


class ColumnFacts(TypedDict):
    """The contract's rules for a column; `used`: a service has a use for it, `key`: as a key."""

    name: str
    description: str
    type: str
    required: bool
    minimum: float | None
    maximum: float | None
    categories: list[str] | None
    missing: list[str]
    spelling: dict[str, str]
    used: bool
    key: bool


class KnownCase(TypedDict):
    """A record, and the score that the model gave it when it was packaged: see Predictor.run."""

    record: dict[str, Any]
    score: float | list[float]


class ContractId(TypedDict):
    """The contract of the table that the model learned from."""

    id: str
    version: str


class Validation(TypedDict):
    """How well the plan did on rows that it did not learn from."""

    metric: str
    score: float | None


class ModelMetadata(TypedDict):
    """What a model answers, how, and where it comes from.

    `outputs` are the places among `classes` of the model's outputs: training may not have met all
    classes. `threshold` is None but for a yes/no target. `parameters` are those of the `candidate`,
    `libraries` their versions by name, `rows` how many it learned from. Files that older versions
    packaged lack `cases` and `bins`.
    """

    task: Task
    target: str
    classes: list[str]
    outputs: list[int]
    threshold: float | None
    inputs: list[InputFacts]
    contract: ContractId
    candidate: str
    parameters: dict[str, float]
    validation: Validation
    libraries: dict[str, str]
    rows: int
    columns: list[ColumnFacts]
    cases: NotRequired[list[KnownCase]]
    bins: NotRequired[list[InputBins]]
