"""The table as it lies in data/raw, profiled before the pipeline has run."""

from rich.console import Console

from ..core.formatting import sentence
from ..core.params import Params
from ..data.change_log import locate_landed_parts, read_log
from ..data.contract import Contract
from ..records.table import open_content
from .shift import list_arrivals
from .table_profile import TableProfile, profile_table, summarise, write_profile

SHOWN = 5


def profile_landed_table() -> list[str]:
    """Profile the rows that keep the contract, and write the page and the JSON.

    Returns the lines to print: what was found, the worst first. Raises UserError if there is no
    table.
    """
    contract, params, parts = Contract.load(), Params.read(), locate_landed_parts()
    with (
        Console(stderr=True).status("reading the table, and measuring its columns ..."),
        open_content(parts, contract) as rows,
    ):
        profile = profile_table(rows, contract, params, list_arrivals(read_log()))
    write_profile(profile)
    return [*list_worst(profile), summarise(profile)]


def list_worst(profile: TableProfile) -> list[str]:
    """Write a line for each of the first findings."""
    return [
        f"{each.severity}: {each.meaning}. {sentence(each.advice)} ({each.where})"
        for each in profile.findings[:SHOWN]
    ]
