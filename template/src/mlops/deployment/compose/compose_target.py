"""Releases on a host with Docker Compose, exchanged without a request that fails.

The next release starts in the idle slot and is checked there, before it answers anybody. Then the
proxy sends requests to it, and the old one finishes what it has begun, and stops; it stays, for a
way back. A release that is not fit is taken away, and what was there is as it was.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from ...core.errors import UserError
from ..readiness import TIMES, Runner, check_release, is_ready, read_model_version
from ..target import Place, make_no_way_back, name_person
from .compose_stack import PROXY, SLOTS, Slot, Stack, wait_until

DRAIN = 30.0  # seconds that requests in work have
REVISION = "org.opencontainers.image.revision"
IMAGE = "deployed.image"


def deploy(image: str, place: Place) -> list[str]:
    """Bring an image into service; returns what was seen, a line each.

    Raises UserError, in one sentence, if it is not fit; then the release before it still answers.
    """
    stack = Stack(place)
    image_id = stack.fetch_image(image)["Id"]
    stack.compose("up", "--detach", "--wait", "--no-recreate", PROXY)
    with stack.lock(name_person()):
        return replace_release(stack, image, image_id)


def replace_release(stack: Stack, image: str, image_id: str) -> list[str]:
    """Fill the idle slot with an image, and have it answer. Raises UserError; see `deploy`."""
    current, idle = find_slots(stack)
    if current and current.image == image_id:
        return [f"{image} is in service already, in {stack.environment}"]
    before = stack.list_slots().get(idle)

    def fill(image_id: str, name: str, *options: str) -> None:
        empty_slot(stack, idle)
        facts = {"IMAGE": image_id, "DEPLOYED_IMAGE": name, "DEPLOYED_BY": name_person()}
        stack.compose("up", *options, "--no-recreate", idle, **facts)

    try:
        lines = exchange(stack, image, lambda: fill(image_id, image, "--detach"))
    except UserError:
        empty_slot(stack, idle)
        if before:  # the way back stays open
            fill(before.image, name_image(before), "--no-start")
        raise
    log_step(stack, "deployed", stack.list_slots()[idle])
    return [*lines, f"{image} is in service, in {stack.environment}"]


def roll_back(place: Place) -> list[str]:
    """Bring back the release before the one in service; see `deploy`. The one given up is taken
    away: another rollback must not bring it back.

    What comes back was fast enough once, and may be needed on a host that is not: it is not timed.
    """
    stack = Stack(place)
    if stack.list_slots():
        with stack.lock(name_person()):
            current, idle = find_slots(stack)
            before = stack.list_slots().get(idle)
            if current and before:
                return bring_back(stack, current, before)
    raise make_no_way_back(stack.environment)


def bring_back(stack: Stack, current: Slot, before: Slot) -> list[str]:
    """Have the release before answer again. Raises UserError; see `roll_back`."""
    start = ["container", "start", before.container]
    try:
        lines = exchange(stack, name_image(before), lambda: stack.docker(*start), times=0)
    except UserError:
        retire(stack, before.name)
        raise
    empty_slot(stack, current.name)
    log_step(stack, "rolled back", stack.list_slots()[before.name])
    return [*lines, f"{name_image(before)} is in service again, in {stack.environment}"]


def open_release(place: Place) -> Runner:
    """Return what runs commands in the release in service. Raises UserError if there is none."""
    stack = Stack(place)
    current = find_slots(stack)[0] if stack.list_slots() else None
    if current is None:
        raise UserError(
            f"{stack.environment}: nothing is in service; 'deploy up' brings a release."
        )
    return stack.open_slot(current)


def describe(place: Place) -> list[str]:
    """Tell what is in service, what was before it, and what was done, a line each."""
    stack = Stack(place)
    slots = stack.list_slots()
    current, idle = find_slots(stack) if slots else (None, "")
    if current is None:
        return [f"{stack.environment}: nothing is in service"]
    version = read_model_version(stack.open_slot(current))
    lines = [f"{stack.environment}: version {version} of the model, {describe_slot(current)}"]
    if idle in slots:
        lines.append(f"before it: {describe_slot(slots[idle])}")
    steps = [json.loads(line) for line in stack.read_log()]
    return lines + [f"{s['when'][:16]}  {s['what']:<12}{s['image']}, by {s['who']}" for s in steps]


def exchange(
    stack: Stack, image: str, start: Callable[[], object], times: int = TIMES
) -> list[str]:
    """Have what `start` starts in the idle slot answer in the place of the release in service.

    `times`: see check_release. Raises UserError if it is not fit; then the old one answers.
    """
    current, idle = find_slots(stack)
    stack.set_traffic(idle, "maint")
    start()
    lines = check_release(image, stack.open_slot(wait_until_ready(stack, image, idle)), times)
    address = stack.list_slots()[idle].address
    wait_until(
        lambda: stack.read_proxy_address(idle) == address, f"the proxy does not find {image}."
    )
    stack.set_traffic(idle, "ready")
    wait_until(
        lambda: stack.read_proxy_status(idle)[0] == "UP", f"the proxy does not reach {image}."
    )
    if current:
        retire(stack, current.name)
    return lines


def wait_until_ready(stack: Stack, image: str, name: str) -> Slot:
    """Return the slot once its release may be asked. Raises UserError if that never comes."""

    def may_be_asked() -> bool:
        slot = stack.list_slots()[name]
        if slot.restarts or not slot.running:
            last = stack.read_last_log_line(slot)
            raise UserError(f"{image} does not start; it says: {last}")
        with suppress(UserError):  # it may have ended just now, as the next look sees
            return is_ready(stack.open_slot(slot))
        return False

    wait_until(may_be_asked, f"{image} does not become ready: see what it logs with 'docker run'.")
    return stack.list_slots()[name]


def find_slots(stack: Stack) -> tuple[Slot | None, str]:
    """Find the slot that answers, if one does, and the name of the other.

    Where a deployment was killed half-way two may run: the one that has answered longer counts.
    """
    running = [slot for slot in stack.list_slots().values() if slot.running]
    answering = [
        slot for slot in running if not stack.read_proxy_status(slot.name)[0].startswith("MAINT")
    ]
    current = min(answering, key=lambda slot: slot.since, default=None)
    others = [name for name in SLOTS if current is None or name != current.name]
    left = [slot.name for slot in running if slot.name in others]
    return current, (left or others)[0]


def retire(stack: Stack, name: str) -> None:
    """Stop the release in a slot once it has answered what it was asked."""
    stack.set_traffic(name, "drain")
    wait_until(
        lambda: stack.read_proxy_status(name)[1] == 0, f"{name} is asked all the time.", DRAIN
    )
    stack.docker("container", "stop", stack.list_slots()[name].container)
    stack.set_traffic(name, "maint")


def empty_slot(stack: Stack, name: str) -> None:
    """Have nothing in a slot."""
    if slot := stack.list_slots().get(name):
        if slot.running:
            retire(stack, name)
        stack.docker("container", "rm", slot.container)


def log_step(stack: Stack, step: str, slot: Slot) -> None:
    """Write down who did what, and when, on the host."""
    when = datetime.now(UTC).isoformat(timespec="seconds")
    facts = {"when": when, "who": name_person(), "what": step, "image": name_image(slot)}
    facts |= {"id": slot.image, "revision": slot.labels.get(REVISION, "")}
    stack.append_log(json.dumps(facts, ensure_ascii=False))


def name_image(slot: Slot) -> str:
    """Name the image in a slot as it was deployed, or else by its id."""
    return slot.labels.get(IMAGE) or slot.image


def describe_slot(slot: Slot) -> str:
    """Tell image, commit and start of the release in a slot."""
    commit = slot.labels.get(REVISION) or "not known"
    return f"{name_image(slot)} ({slot.image[:19]}), commit {commit[:12]}, since {slot.since[:16]}"
