"""The errors a person can do something about."""


class UserError(Exception):
    """One sentence: what is wrong, where, what to do. Shown without a traceback; exit code 2."""


def fold_lines(message: object) -> str:
    """Put what an error or a program says, often several lines, on one line."""
    return " ".join(str(message).split())
