"""Releases on a host with Docker Compose, exchanged without a request that fails.

The next release starts in the idle slot and is checked there, before it answers anybody. Then the
proxy sends requests to it, and the old one finishes what it has begun, and stops; it stays, for a
way back. A release that is not fit is taken away, and what was there is as it was.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from ...core.errors import UserError
from ...records.writer import who
from ..check import TIMES, Inside, check_release, is_ready, version
from .compose_stack import PROXY, SLOTS, Slot, Stack, until

DRAIN = 30.0  # seconds that requests in work have
REVISION = "org.opencontainers.image.revision"
IMAGE = "deployed.image"


def up(image: str, environment: str, host: str = "") -> list[str]:
    """Bring an image into service; what was seen, a line each.

    Raises UserError, in one sentence, if it is not fit; then the release before it still answers.
    """
    stack = Stack(environment, host)
    release = stack.image(image)["Id"]
    stack.compose("up", "--detach", "--wait", "--no-recreate", PROXY)
    with stack.alone(person()):
        return replace(stack, image, release)


def replace(stack: Stack, image: str, release: str) -> list[str]:
    """`release`: the id of the image. Raises UserError; see `up`."""
    old, idle = in_use(stack)
    if old and old.image == release:
        return [f"{image} is in service already, in {stack.environment}"]
    before = stack.slots().get(idle)

    def fill(what: str, name: str, *how: str) -> None:
        empty(stack, idle)
        facts = {"IMAGE": what, "DEPLOYED_IMAGE": name, "DEPLOYED_BY": person()}
        stack.compose("up", *how, "--no-recreate", idle, **facts)

    try:
        told = exchange(stack, image, lambda: fill(release, image, "--detach"))
    except UserError:
        empty(stack, idle)
        if before:  # the way back stays open
            fill(before.image, named(before), "--no-start")
        raise
    note(stack, "deployed", stack.slots()[idle])
    return [*told, f"{image} is in service, in {stack.environment}"]


def rollback(environment: str, host: str = "") -> list[str]:
    """Bring back the release before the one in service; see `up`. The one given up is taken away:
    another rollback must not bring it back.

    What comes back was fast enough once, and may be needed on a host that is not: it is not timed.
    """
    stack = Stack(environment, host)
    if stack.slots():
        with stack.alone(person()):
            old, idle = in_use(stack)
            before = stack.slots().get(idle)
            if old and before:
                return bring_back(stack, old, before)
    raise UserError(
        f"{environment} has no release to go back to: 'deploy up' brings the one that you name."
    )


def bring_back(stack: Stack, old: Slot, before: Slot) -> list[str]:
    """Raises UserError; see `rollback`."""
    start = ["container", "start", before.container]
    try:
        told = exchange(stack, named(before), lambda: stack.docker(*start), times=0)
    except UserError:
        retire(stack, before.name)
        raise
    empty(stack, old.name)
    note(stack, "rolled back", stack.slots()[before.name])
    return [*told, f"{named(before)} is in service again, in {stack.environment}"]


def inside(environment: str, host: str = "") -> Inside:
    """Runs commands in the release that is in service. Raises UserError if there is none."""
    stack = Stack(environment, host)
    release = in_use(stack)[0] if stack.slots() else None
    if release is None:
        raise UserError(f"{environment}: nothing is in service; 'deploy up' brings a release.")
    return stack.inside(release)


def status(environment: str, host: str = "") -> list[str]:
    """What is in service, what was before it, and what was done, a line each."""
    stack = Stack(environment, host)
    slots = stack.slots()
    old, idle = in_use(stack) if slots else (None, "")
    if old is None:
        return [f"{environment}: nothing is in service"]
    told = [f"{environment}: version {version(stack.inside(old))} of the model, {described(old)}"]
    if idle in slots:
        told.append(f"before it: {described(slots[idle])}")
    steps = [json.loads(line) for line in stack.written_down()]
    return told + [f"{s['when'][:16]}  {s['what']:<12}{s['image']}, by {s['who']}" for s in steps]


def exchange(
    stack: Stack, image: str, start: Callable[[], object], times: int = TIMES
) -> list[str]:
    """Have what `start` starts in the idle slot answer in the place of the old release.

    `times`: see check_release. Raises UserError if it is not fit; then the old one answers.
    """
    old, idle = in_use(stack)
    stack.traffic(idle, "maint")
    start()
    told = check_release(image, stack.inside(ready(stack, image, idle)), times)
    address = stack.slots()[idle].address
    until(lambda: stack.address_by_proxy(idle) == address, f"the proxy does not find {image}.")
    stack.traffic(idle, "ready")
    until(lambda: stack.seen_by_proxy(idle)[0] == "UP", f"the proxy does not reach {image}.")
    if old:
        retire(stack, old.name)
    return told


def ready(stack: Stack, image: str, name: str) -> Slot:
    """The slot, once its release may be asked. Raises UserError if that never comes."""

    def may_be_asked() -> bool:
        slot = stack.slots()[name]
        if slot.restarts or not slot.running:
            raise UserError(f"{image} does not start; it says: {stack.last_words(slot)}")
        with suppress(UserError):  # it may have ended just now, as the next look sees
            return is_ready(stack.inside(slot))
        return False

    until(may_be_asked, f"{image} does not get ready: see what it logs with 'docker run'.")
    return stack.slots()[name]


def in_use(stack: Stack) -> tuple[Slot | None, str]:
    """The slot that answers, if one does, and the name of the other.

    Where a deployment was killed half-way two may run: the one that has answered longer counts.
    """
    running = [slot for slot in stack.slots().values() if slot.running]
    asked = [slot for slot in running if not stack.seen_by_proxy(slot.name)[0].startswith("MAINT")]
    old = min(asked, key=lambda slot: slot.since, default=None)
    others = [name for name in SLOTS if old is None or name != old.name]
    left = [slot.name for slot in running if slot.name in others]
    return old, (left or others)[0]


def retire(stack: Stack, name: str) -> None:
    """Stop a release once it has answered what it was asked."""
    stack.traffic(name, "drain")
    until(lambda: stack.seen_by_proxy(name)[1] == 0, f"{name} is asked all the time.", DRAIN)
    stack.docker("container", "stop", stack.slots()[name].container)
    stack.traffic(name, "maint")


def empty(stack: Stack, name: str) -> None:
    """Have nothing in a slot."""
    if slot := stack.slots().get(name):
        if slot.running:
            retire(stack, name)
        stack.docker("container", "rm", slot.container)


def note(stack: Stack, what: str, slot: Slot) -> None:
    """Write down who did what, and when, on the host."""
    when = datetime.now(UTC).isoformat(timespec="seconds")
    facts = {"when": when, "who": person(), "what": what, "image": named(slot)}
    facts |= {"id": slot.image, "revision": slot.labels.get(REVISION, "")}
    stack.write_down(json.dumps(facts, ensure_ascii=False))


def person() -> str:
    """Who deploys: on GitHub the one whose workflow it is."""
    return os.environ.get("GITHUB_ACTOR") or who()


def named(slot: Slot) -> str:
    return slot.labels.get(IMAGE) or slot.image


def described(slot: Slot) -> str:
    commit = slot.labels.get(REVISION) or "not known"
    return f"{named(slot)} ({slot.image[:19]}), commit {commit[:12]}, since {slot.since[:16]}"
