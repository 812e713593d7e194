"""What is said of a drafted contract, so that a person sees what was decided for them."""

from ..data import cells
from ..data.contract import DEFAULT_MISSING, Contract


def note_missing(contract: Contract) -> list[str]:
    """Write a sentence for each word that is read as missing beyond those that always are."""
    where: dict[str, list[str]] = {}
    for column in contract.columns:
        for word in set(column.missing) - set(DEFAULT_MISSING):
            where.setdefault(word, []).append(column.name)
    return [f"'{word}' is read as missing in {', '.join(where[word])}." for word in sorted(where)]


def note_free_texts(contract: Contract) -> list[str]:
    """Name the columns whose words are learned from."""
    return [
        f"{column.name} is free text: the model learns from its words and its length "
        f"(--ignore '{column.name}' leaves it out)."
        for column in contract.inputs
        if column.free_text
    ]


def note_times(contract: Contract) -> list[str]:
    """Name the columns that might be the time of a row, where none is given."""
    if contract.of_role("time"):
        return []
    dates = [column.name for column in contract.inputs if column.type in cells.FORMATS]
    return [
        f"{name} holds dates: if it is when a row came to be, say --time '{name}', so that the "
        "newest rows test the model."
        for name in dates
    ]
