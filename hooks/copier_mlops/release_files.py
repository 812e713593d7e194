"""Rules of a release about the files it brings, keeps and drops."""

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from .findings import Finding
from .patterns import matches
from .release import CONFIG, Release, exclusions, matched, recorded, renders_of
from .template import OWNERS, OWNERSHIP

BLOCK = 6  # lines of context by which git finds the place of an edit: 3 before it and 3 after


def left_out(release: Release) -> Iterator[Finding]:
    """What an answer leaves out is there with another."""
    withheld = {path for render in release.renders for path in render.absent}
    for path in sorted(withheld - release.paths):
        yield setting("_exclude", f"_exclude leaves {path} out whatever is answered: drop the file")
    for pattern in sorted({line for render in release.renders for line in render.conditions}):
        if not matched([pattern], withheld):
            yield setting("_exclude", f"_exclude names {pattern}, which is no file: take it out")


def owners(release: Release) -> Iterator[Finding]:
    """Every path has one owner, and every pattern names a path."""
    named = {owner: release.owned(owner) for owner in OWNERS}
    for path in sorted(release.paths - set().union(*named.values())):
        yield ownership(f"nobody owns {path}: name it as seeded, shared or managed")
    for path in sorted(named["shared"] & (named["seeded"] | named["managed"])):
        yield ownership(f"{path} is shared and has another owner too: name it once")
    for owner in (*OWNERS, "sample"):
        for pattern in release.ownership.get(owner, []):
            if not matched([pattern.removeprefix("!")], release.paths):
                yield ownership(
                    f"the {owner} {pattern} names no file: take it out, or list it as dropped"
                )


def settings(release: Release) -> Iterator[Finding]:
    """Copier is told of ownership as it is written down; besides, answers may leave files out."""
    wanted = {
        "_skip_if_exists": release.ownership["seeded"],
        "_exclude": exclusions(release.ownership),
    }
    conditional = set(release.version.conditional_exclusions)
    for name, right in wanted.items():
        found = [line for line in release.config.get(name, []) if line not in conditional]
        for line in right:
            if line not in found:
                yield setting(name, f"{name} lacks {line!r}, as {OWNERSHIP} asks for: add it")
        for line in found:
            if line not in right:
                yield setting(
                    name, f"{name} has {line!r}, which {OWNERSHIP} does not know: take it out"
                )


def dropped(release: Release) -> Iterator[Finding]:
    """A path that an earlier release gave is there still, or kept from an update's broom."""
    patterns = release.ownership.get("dropped", [])
    withheld = {path for render in release.renders for path in render.withheld}
    for path in sorted(matched(patterns, withheld)):
        yield ownership(f"{path} is dropped and would never come: take it out of dropped")
    gone: dict[str, str] = {}
    for version in release.earlier:
        for old in renders_of(version):
            new = release.version.render(recorded(old), "update")
            for path in set(old.files) - set(new.files):
                gone.setdefault(path, version.name)
    kept = matched([*patterns, *release.ownership["seeded"]], set(gone))
    for path in sorted(set(gone) - kept):
        yield ownership(
            f"{path} of {gone[path]} is gone, and an update would remove it with what the team "
            "wrote there: list it as dropped"
        )


def mergeable(release: Release) -> Iterator[Finding]:
    """Copier puts the template's own over a binary file that the team changed."""
    seeded = release.owned("seeded")
    for path, content in contents(release, release.paths - seeded):
        if not is_text(content):
            yield ownership(f"{path} is binary, and no update can merge it: make it seeded")


def told_apart(release: Release) -> Iterator[Finding]:
    """An edit between lines that are there twice may land at the other place."""
    for path, content in contents(release, release.owned("shared")):
        lines = content.decode(errors="replace").splitlines()
        blocks = Counter(tuple(lines[at : at + BLOCK]) for at in range(len(lines) - BLOCK + 1))
        block, times = blocks.most_common(1)[0] if blocks else ((), 0)
        if times > 1:
            first = next(line.strip() for line in block if line.strip())
            yield ownership(
                f"{path} has the {BLOCK} lines from {first!r} on {times} times, so that an edit "
                "of the team's may land at the wrong place: make them differ"
            )


def committed(release: Release) -> Iterator[Finding]:
    """What git ignores is never committed, so that an update overwrites it unasked."""
    told = set()
    for render in release.renders:
        for ignore in (path for path in render.files if PurePosixPath(path).name == ".gitignore"):
            folder = PurePosixPath(ignore).parent
            rules = tuple(release.content(render, ignore).decode().splitlines())
            for path in render.files:
                inside = PurePosixPath(path).is_relative_to(folder)
                if inside and matches(rules, str(PurePosixPath(path).relative_to(folder))):
                    told.add((path, ignore))
    for path, ignore in sorted(told):
        yield ownership(
            f"{path} is ignored by {ignore}, so that no update can merge it: let git see it"
        )


def contents(release: Release, paths: set[str]) -> Iterator[tuple[str, bytes]]:
    """Each different content that those paths can have, with the path."""
    seen = set()
    for render in release.renders:
        for path in sorted(paths & set(render.files)):
            if (key := (path, render.files[path].blob)) not in seen:
                seen.add(key)
                yield path, release.content(render, path)


def is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def ownership(message: str) -> Finding:
    return Finding("release.ownership", "error", OWNERSHIP, None, f"{message}.")


def setting(name: str, message: str) -> Finding:
    return Finding("release.settings", "error", CONFIG, None, f"{message}.")
