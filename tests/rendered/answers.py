"""Answers to render with: every pair of values that two questions can have, and hostile texts."""

from allpairspy import AllPairs

HOSTILE = [
    "yes",
    "007",
    "1e3",
    "Ünïcödé über alles",
    "日本の遅延",
    "It's 5 o'clock \"somewhere\"",
    "Colons: and # hashes, [brackets] & *stars*",
    "Back\\slash \\n \\u0041 %s $HOME",
    "Emoji 😀",
    "N" * 100,
]
"""Names that are accepted and must come out as they went in."""

REFUSED = [
    "",
    " leading blank",
    "trailing blank ",
    "-dash",
    "# heading",
    "two\nlines",
    "a {{ 7 * 7 }}",
    "{% raw %}",
    "<b>bold</b>",
    "bell\x07",
    "right-to-left\u202e",
    "`command`",
    "N" * 101,
]
"""Names that are refused, in one sentence."""

VALUES = {
    "project_name": ["Flights", HOSTILE[5]],
    "package": ["ab", "a_package_name_of_thirty_chars1"[:30]],
    "sample": ["flights", "empty"],
    "organisation": ["acme", "Acme-Air-2"],
    "licence": ["MIT", "Apache-2.0", "BSD-3-Clause", "Proprietary"],
    "python_min": ["3.11", "3.12", "3.13", "3.14"],
    "dvc_remote": ["local", "s3", "gcs", "azure", "ssh"],
    "mlflow": ["embedded", "server"],
    "scale": ["single", "dask"],
    "deploy": ["compose", "kubernetes", "none"],
    "journal": ["sqlite", "postgresql"],
    "updates": ["workflow", "renovate"],
    "data_engineer": ["@acme/data", "jo.doe+data@acme.example"],
}


def possible(row: list[str]) -> bool:
    """Whether the first answers of a set go together: the pod of a service keeps no file."""
    return not {"kubernetes", "sqlite"} <= set(row)


PAIRWISE = [
    dict(zip(VALUES, row, strict=True))
    for row in AllPairs(list(VALUES.values()), filter_func=possible)
]
