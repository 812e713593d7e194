"""The release gate: the pipeline is green only when every gate has passed.

A failed stage is not recorded by DVC, so a blocked run stays red however often it is repeated.
"""

from ..core.errors import BlockedError
from ..core.paths import GATE_REPORT, read_json
from ..gates.gates import Verdict


def run() -> None:
    """Refuse a run of which a gate has failed.

    Raises BlockedError listing each failed gate, its owner and what to do.
    """
    verdicts = [Verdict(**gate) for gate in read_json(GATE_REPORT)["gates"]]
    failed = [verdict.sentence() for verdict in verdicts if not verdict.passed]
    if failed:
        page = "The full report is in reports/index.html."
        raise BlockedError("\n".join([f"{len(failed)} gate(s) block the release:", *failed, page]))
    print(f"release: all {len(verdicts)} gates passed; read reports/index.html")
