"""The errors a person can do something about."""


class UserError(Exception):
    """One sentence: what is wrong, where, what to do. Shown without a traceback; exit code 2."""
