"""YAML of files that anybody may have written, read by the fastest of the safe loaders."""

from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # PyYAML was built without libyaml
    from yaml import SafeLoader  # type: ignore[assignment]

# What a text that is no YAML raises: a byte that is no character is a ValueError.
YAML_ERRORS = (yaml.YAMLError, ValueError)


def parse_yaml(content: bytes) -> Any:
    """Parse a text as plain values. Raises one of YAML_ERRORS."""
    return yaml.load(content, SafeLoader)


def parse_yaml_nodes(content: bytes) -> yaml.Node | None:
    """Parse a text as nodes, which know their lines. Raises one of YAML_ERRORS."""
    node: yaml.Node | None = yaml.compose(content, SafeLoader)
    return node
