"""A project as a whole: set up, and its files in order."""

from pathlib import Path

from ..core.errors import UserError
from ..core.git_command import git
from ..core.repository_place import Place, find_place
from ..gates.yaml_location import CONTRACT
from .git_hooks import describe_hook_of_others, install_hooks
from .root_files import describe_what_is_left, list_written, write_root_files


def set_up_project(in_repository: bool | None = None) -> list[str]:
    """Make the folder a git repository with hooks and a first commit; what is done is left alone.

    Inside a larger repository `in_repository` says whether the project is a part of that or has
    its own. Where git does not know who commits, the first commit is left to them. Returns what
    was done, a line each. Raises UserError with what git or the hooks refuse to do, and if nobody
    said which repository is meant.
    """
    place = find_place()
    if belongs_to_larger_repository(place, in_repository):
        done = join_repository(place)
    else:
        done = set_up_repository()
    done = done or ["nothing to do: the project is already set up"]
    if Path(CONTRACT).exists():
        return done
    return [*done, "next, bring a table: uv run mlops data add TABLE --target COLUMN"]


def belongs_to_larger_repository(place: Place, in_repository: bool | None) -> bool:
    """Tell whether the project is a part of the repository around it, as somebody has decided.

    Raises UserError if nobody has, or there is no repository around it.
    """
    if not place.folder:
        if in_repository:
            raise UserError(
                "There is no larger repository around this folder: leave out '--in-repository'."
            )
        return False
    if in_repository is not None:
        return in_repository
    if list_written(place):
        return True
    raise UserError(
        f"This folder lies in the git repository {place.root}. To make the project a part of it, "
        f"run 'uv run mlops setup --in-repository', which also writes into {place.root}: workflows "
        f"named .github/workflows/{place.label}-*.yml, parts of CODEOWNERS and "
        ".pre-commit-config.yaml, and the git hooks. To make a repository of its own here, run "
        "'uv run mlops setup --own-repository'."
    )


def set_up_repository() -> list[str]:
    """Set up a repository of the project's own; returns what was done, a line each."""
    done = []
    if not Path(".git").exists():
        git("init", "--quiet", "--initial-branch", "main")
        done.append("made a git repository")
    done += keep_lines() + install_hooks(Path.cwd())
    if not git("rev-list", "--all", "--max-count=1"):
        git("add", "--all")
        done.append(commit_first())
    return done


def join_repository(place: Place) -> list[str]:
    """Make the project a part of the larger repository; returns what was done, a line each.

    Nothing is committed: the repository may hold other people's work.
    """
    written = write_root_files(place)
    done = [f"wrote {place.root / path}" for path in written] + describe_what_is_left(place)
    done += keep_lines() + (install_hooks(place.root) or describe_hook_of_others())
    if written:
        paths = " ".join(dict.fromkeys(path.split("/")[0] for path in written))
        done.append(f"next, commit: git -C {place.root} add {paths} {place.folder}")
    return done


def keep_lines() -> list[str]:
    """Have git keep lines that end in blanks, which an update would drop; returns what was done."""
    if "apply.whitespace" in git("config", "--list", "--local"):
        return []
    git("config", "apply.whitespace", "nowarn")
    return ["set apply.whitespace, so that updates keep lines that end in blanks"]


def commit_first() -> str:
    """Commit what is staged if git knows who does; returns the sentence that says so."""
    try:
        git("var", "GIT_AUTHOR_IDENT")
        git("var", "GIT_COMMITTER_IDENT")
    except UserError:
        return (
            "left the first commit to you, since git does not know who you are: say so with 'git "
            "config --global user.name NAME' and 'git config --global user.email ADDRESS', then "
            "run 'uv run mlops setup' again; the pipeline runs without it"
        )
    git("commit", "--quiet", "--no-verify", "--message", "Start from the template")
    return "made the first commit, uv.lock included"


def check_team_files() -> list[str]:
    """Read each of the team's files by its strict model; returns the line to print.

    Raises UserError for the first fault.
    """
    from ..business.prices import PRICES, Prices  # noqa: PLC0415
    from ..core.params import Params  # noqa: PLC0415
    from ..core.problem import Problem  # noqa: PLC0415
    from ..data.contract import Contract  # noqa: PLC0415  (a second, only needed here)

    Problem.read()
    Params.read()
    names = ["problem.yaml", "params.yaml"]
    if PRICES.exists():
        Prices.load(str(PRICES))
        names.append(str(PRICES))
    if Path(CONTRACT).exists():  # there is none before the first table
        Contract.load()
        names.append(CONTRACT)
    return [f"{', '.join(names)}: valid"]
