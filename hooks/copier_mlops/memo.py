"""What depends on few values is worked out once for each combination of them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from jinja2 import meta
from jinja2.environment import Environment

from .errors import UserError

Result = TypeVar("Result")
MOST_KEPT = 4096  # results of one function


class Memo(Generic[Result]):
    """A function of the values that it names, out of many; with `names` None, of all of them.

    `compute` gets these values by their names. At most MOST_KEPT of its results are kept.
    """

    def __init__(
        self, names: Iterable[str] | None, compute: Callable[[dict[str, Any]], Result]
    ) -> None:
        self.names = None if names is None else sorted(names)
        self._compute = compute
        self._results: dict[str, Result] = {}

    def __call__(self, values: Mapping[str, Any]) -> Result:
        """Return the result for these values, computed at most once while it is kept."""
        names = values if self.names is None else self.names
        own_values = {name: values[name] for name in names if name in values}
        key = repr(own_values)
        if key not in self._results:
            if len(self._results) >= MOST_KEPT:
                self._results.clear()
            self._results[key] = self._compute(own_values)
        return self._results[key]


def find_names(environment: Environment, source: str) -> set[str] | None:
    """Find the names of the values that a text, and the files it includes, make use of.

    Returns None if it may be any, since the name of an included file is itself worked out.
    """
    tree = environment.parse(source)
    names: set[str] = meta.find_undeclared_variables(tree)
    for other in meta.find_referenced_templates(tree):
        included = None
        if other is not None and environment.loader:
            included = find_names(environment, environment.loader.get_source(environment, other)[0])
        if included is None:
            return None
        names |= included
    return names


def find_setting_names(environment: Environment, setting: Any) -> set[str]:
    """Find the same for a setting: a text, or lists and tables of texts.

    Raises UserError if it may be any.
    """
    if isinstance(setting, str):
        names = find_names(environment, setting)
        if names is None:
            raise UserError("it includes a file whose name is worked out")
        return names
    if isinstance(setting, Mapping):
        return {
            name for pair in setting.items() for name in find_setting_names(environment, list(pair))
        }
    if isinstance(setting, list | tuple):
        return {name for item in setting for name in find_setting_names(environment, item)}
    return set()
