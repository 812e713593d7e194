"""The errors a person can do something about."""


class UserError(Exception):
    """One sentence: what is wrong, where, what to do. Shown without a traceback; exit code 1."""


class TeamError(UserError):
    """A mistake in the team's files, told with the file and the line."""


class BlockedError(UserError):
    """A gate has refused to let the run go on; the text lists each failed gate and what to do."""
