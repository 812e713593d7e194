"""Rules of a release about the files it brings, keeps and drops."""

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from .findings import Finding
from .patterns import matches
from .release import CONFIG, Release, build_exclusions, list_answers, match_paths, render_all_pairs
from .template import OWNERS, OWNERSHIP

BLOCK = 6  # lines of context by which git finds the place of an edit: 3 before it and 3 after


def check_left_out(release: Release) -> Iterator[Finding]:
    """Check that what an answer leaves out is there with another."""
    withheld = {path for render in release.renders for path in render.absent}
    for path in sorted(withheld - release.paths):
        yield report_setting(f"_exclude leaves {path} out whatever is answered: drop the file")
    for pattern in sorted({line for render in release.renders for line in render.conditions}):
        if not match_paths([pattern], withheld):
            yield report_setting(f"_exclude names {pattern}, which is no file: take it out")


def check_owners(release: Release) -> Iterator[Finding]:
    """Check that every path has one owner, and every pattern names a path."""
    paths_by_owner = {owner: release.owned(owner) for owner in OWNERS}
    for path in sorted(release.paths - set().union(*paths_by_owner.values())):
        yield report_ownership(f"nobody owns {path}: name it as seeded, shared or managed")
    for path in sorted(
        paths_by_owner["shared"] & (paths_by_owner["seeded"] | paths_by_owner["managed"])
    ):
        yield report_ownership(f"{path} is shared and has another owner too: name it once")
    for owner in (*OWNERS, "sample"):
        for pattern in release.ownership.get(owner, []):
            if not match_paths([pattern.removeprefix("!")], release.paths):
                yield report_ownership(
                    f"the {owner} {pattern} names no file: take it out, or list it as dropped"
                )


def check_settings(release: Release) -> Iterator[Finding]:
    """Check that Copier is told of ownership as written down, besides what answers leave out."""
    wanted = {
        "_skip_if_exists": release.ownership["seeded"],
        "_exclude": build_exclusions(release.ownership),
    }
    conditional = set(release.version.conditional_exclusions)
    for name, asked_for in wanted.items():
        listed = [line for line in release.config.get(name, []) if line not in conditional]
        for line in asked_for:
            if line not in listed:
                yield report_setting(f"{name} lacks {line!r}, as {OWNERSHIP} asks for: add it")
        for line in listed:
            if line not in asked_for:
                yield report_setting(
                    f"{name} has {line!r}, which {OWNERSHIP} does not know: take it out"
                )


def check_dropped(release: Release) -> Iterator[Finding]:
    """Check that each path of an earlier release is there still, or kept from an update's broom."""
    patterns = release.ownership.get("dropped", [])
    withheld = {path for render in release.renders for path in render.withheld}
    for path in sorted(match_paths(patterns, withheld)):
        yield report_ownership(f"{path} is dropped and would never come: take it out of dropped")
    gone: dict[str, str] = {}
    for version in release.earlier:
        for old in render_all_pairs(version):
            new = release.version.render(list_answers(old), "update")
            for path in set(old.files) - set(new.files):
                gone.setdefault(path, version.name)
    kept = match_paths([*patterns, *release.ownership["seeded"]], set(gone))
    for path in sorted(set(gone) - kept):
        yield report_ownership(
            f"{path} of {gone[path]} is gone, and an update would remove it with what the team "
            "wrote there: list it as dropped"
        )


def check_mergeable(release: Release) -> Iterator[Finding]:
    """Find binary files that are not seeded: Copier puts the template's own over the team's."""
    seeded = release.owned("seeded")
    for path, content in list_contents(release, release.paths - seeded):
        if not is_text(content):
            yield report_ownership(f"{path} is binary, and no update can merge it: make it seeded")


def check_repeated_blocks(release: Release) -> Iterator[Finding]:
    """Find lines that are there twice: an edit between them may land at the other place."""
    for path, content in list_contents(release, release.owned("shared")):
        lines = content.decode(errors="replace").splitlines()
        blocks = Counter(tuple(lines[at : at + BLOCK]) for at in range(len(lines) - BLOCK + 1))
        block, times = blocks.most_common(1)[0] if blocks else ((), 0)
        if times > 1:
            first = next(line.strip() for line in block if line.strip())
            yield report_ownership(
                f"{path} has the {BLOCK} lines from {first!r} on {times} times, so that an edit "
                "of the team's may land at the wrong place: make them differ"
            )


def check_ignored(release: Release) -> Iterator[Finding]:
    """Find files that git ignores: never committed, they are overwritten by an update unasked."""
    ignored = set()
    for render in release.renders:
        for ignore in (path for path in render.files if PurePosixPath(path).name == ".gitignore"):
            folder = PurePosixPath(ignore).parent
            rules = tuple(release.content(render, ignore).decode().splitlines())
            for path in render.files:
                inside = PurePosixPath(path).is_relative_to(folder)
                if inside and matches(rules, str(PurePosixPath(path).relative_to(folder))):
                    ignored.add((path, ignore))
    for path, ignore in sorted(ignored):
        yield report_ownership(
            f"{path} is ignored by {ignore}, so that no update can merge it: let git see it"
        )


def list_contents(release: Release, paths: set[str]) -> Iterator[tuple[str, bytes]]:
    """Yield each different content that those paths can have, with the path."""
    seen = set()
    for render in release.renders:
        for path in sorted(paths & set(render.files)):
            if (key := (path, render.files[path].blob)) not in seen:
                seen.add(key)
                yield path, release.content(render, path)


def is_text(content: bytes) -> bool:
    """Tell text from binary files."""
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def report_ownership(message: str) -> Finding:
    """Make a finding about ownership.yml."""
    return Finding("release.ownership", "error", OWNERSHIP, None, f"{message}.")


def report_setting(message: str) -> Finding:
    """Make a finding about the settings in copier.yml."""
    return Finding("release.settings", "error", CONFIG, None, f"{message}.")
