"""Run all benchmarks, or those named: uv run python -m tests.benchmarks [lifecycle ...]"""

import sys

from . import automl, batch, big_tables, fleet, lifecycle, records, scale, service

BENCHMARKS = {
    "lifecycle": lifecycle,
    "big_tables": big_tables,
    "batch": batch,
    "records": records,
    "automl": automl,
    "scale": scale,
    "service": service,
    "fleet": fleet,
}


def main(names: list[str]) -> None:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"There is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}.")
    for name in names or list(BENCHMARKS):
        BENCHMARKS[name].main()


if __name__ == "__main__":
    main(sys.argv[1:])
