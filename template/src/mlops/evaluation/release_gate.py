"""The release gate: the pipeline is green only when every gate has passed.

A failed stage is not recorded by DVC, so a blocked run stays red however often it is repeated. An
experiment that failed would be lost, though; it ends well, and marks the verdicts as changed since
stage gate wrote them: whatever comes of it is judged again, by the next `dvc repro`.
"""

from ..core.errors import BlockedError
from ..core.experiment import find_experiment
from ..core.paths import GATE_REPORT, read_json, write_json
from ..gates.gates import Verdict


def run() -> None:
    """Refuse a run of which a gate has failed.

    Raises BlockedError listing each failed gate, its owner and what to do.
    """
    report = read_json(GATE_REPORT)
    verdicts = [Verdict(**gate) for gate in report["gates"]]
    failed = [verdict.sentence() for verdict in verdicts if not verdict.passed]
    if experiment := find_experiment():
        write_json(GATE_REPORT, report | {"experiment": f"{experiment}, not released"})
        print(*failed, sep="\n")
        print(
            f"release: an experiment releases nothing; {len(failed)} gate(s) would block it "
            "('uv run mlops stage release' ends by that with an error or without)"
        )
        return
    if failed:
        page = "The full report is in reports/index.html."
        raise BlockedError("\n".join([f"{len(failed)} gate(s) block the release:", *failed, page]))
    print(f"release: all {len(verdicts)} gates passed; read reports/index.html")
