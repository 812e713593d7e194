"""What depends on few values is worked out once for each combination of them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from jinja2 import meta
from jinja2.environment import Environment

from .errors import UserError

Result = TypeVar("Result")
KEPT = 4096


class Memo(Generic[Result]):
    """A function of those of many values that it names; None: of all."""

    def __init__(
        self,
        names: Iterable[str] | None,
        compute: Callable[[dict[str, Any]], Result],
        kept: int = KEPT,
    ) -> None:
        self.names = None if names is None else sorted(names)
        self._compute = compute
        self._known: dict[str, Result] = {}

    def __call__(self, values: Mapping[str, Any]) -> Result:
        named = values if self.names is None else self.names
        own = {name: values[name] for name in named if name in values}
        key = repr(own)
        if key not in self._known:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[key] = self._compute(own)
        return self._known[key]


def names_in(environment: Environment, source: str) -> set[str] | None:
    """Names of the values that a text, and the files it includes, make use of.

    None: it may be any, since the name of a file it includes is itself worked out.
    """
    tree = environment.parse(source)
    names: set[str] = meta.find_undeclared_variables(tree)
    for other in meta.find_referenced_templates(tree):
        included = None
        if other is not None and environment.loader:
            included = names_in(environment, environment.loader.get_source(environment, other)[0])
        if included is None:
            return None
        names |= included
    return names


def names_of(environment: Environment, value: Any) -> set[str]:
    """The same for a setting: a text, or lists and tables of texts.

    Raises UserError where it may be any.
    """
    if isinstance(value, str):
        names = names_in(environment, value)
        if names is None:
            raise UserError("it includes a file whose name is worked out")
        return names
    if isinstance(value, Mapping):
        return {name for item in value.items() for name in names_of(environment, list(item))}
    if isinstance(value, list | tuple):
        return {name for item in value for name in names_of(environment, item)}
    return set()
