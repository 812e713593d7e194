"""The page's sections on where a model comes from: data, resources, lineage."""

from markupsafe import Markup

from ..model.reports import Report, Reports
from ..words import count, duration, number, percent, score
from .charts import Scale, Table, bar

RULES = {
    "required": "is missing",
    "readable": "cannot be read",
    "minimum": "is below the minimum",
    "maximum": "is above the maximum",
    "category": "is not a known category",
    "duplicate": "is a key that comes again",
}
DUPLICATES = {
    "keep_last": "the last one was kept",
    "keep_first": "the first one was kept",
    "reject": "none of them was kept",
}
POLICIES = {
    "time": "by time: it learns from the oldest rows and is tested on the newest",
    "group": "by group: no group is in two parts",
    "stratified": "at random, with the same mix of outcomes in each part",
    "random": "at random",
}
REASONS = 8


def quality(reports: Reports) -> Report | None:
    """What was delivered, what was set aside and why, and how the rest was split."""
    found = reports.validation
    if not found:
        return None
    rate, limit = found["reject_rate"], reports.params.data.max_reject_rate
    told = (
        f"{count(found['read'], 'row')} read: {found['clean']:,} fit for use, "
        f"{found['quarantined']:,} set aside. {count(found['rejected'], 'row')} broke the contract "
        f"({percent(rate, 2)}; at most {percent(limit, 2)} is allowed)."
    )
    repeated = found["duplicates"]["rows"]
    if repeated:
        kept = DUPLICATES[found["duplicates"]["policy"]]
        told += f" {count(repeated, 'row')} left out, as their key comes again; {kept}."
    told += " What was set aside is kept, with all reasons, in data/quarantine.parquet."
    return {
        "told": told,
        "share": f"{100 * found['clean'] / (found['read'] or 1):.2f}",
        "table": reasons(found),
        "parts": parts(reports.split),
        "sources": sources(reports.ingest),
        "leak": leaks(reports.leak),
    }


def reasons(validation: Report) -> Table | None:
    found = validation["reasons"]
    scale = Scale.over((entry["rows"] for entry in found), zero=True)
    rows = [
        (
            f"{entry['column']} {RULES.get(entry['rule'], entry['rule'])}",
            bar(scale, entry["rows"]),
            number(entry["rows"]),
            ", ".join(f"“{example}”" for example in entry["examples"] if example),
        )
        for entry in found[:REASONS]
    ]
    beyond = f" (the first {REASONS} of {len(found)} reasons)" if len(found) > REASONS else ""
    caption = f"Why rows were set aside{beyond}; a row may have several reasons"
    return Table(caption, ("Reason", "", "Rows", "For example"), "tdnt", rows) if rows else None


def parts(split: Report) -> str:
    if not split:
        return ""
    rows = split["rows"]
    return (
        f"Split {POLICIES.get(split['policy'], split['policy'])}. {rows['train']:,} rows to learn "
        f"from, {rows['valid']:,} to choose on, {rows['test']:,} to judge by, seen only at the end."
    )


def sources(ingest: Report) -> Table | None:
    rows = [
        (entry["file"], number(entry["rows"]), code(entry["sha256"][:16]))
        for entry in ingest.get("sources", ())
    ]
    return Table("Delivered files", ("File", "Rows", "SHA-256"), "tnn", rows) if rows else None


def leaks(leak: Report) -> Table | None:
    """Columns that tell the target by themselves, the strongest first."""
    found = sorted(leak.get("scores", ()), key=lambda entry: -entry["score"])[:REASONS]
    scale = Scale(0.0, 1.0)
    rows = [
        (
            f"{entry['column']} less {entry['with']}" if entry.get("with") else entry["column"],
            bar(scale, entry["score"]),
            score(entry["score"]),
        )
        for entry in found
    ]
    caption = "What an input alone tells of the target, 0 (nothing) to 1 (all)"
    return Table(caption, ("Input", "", "Tells"), "tdn", rows) if rows else None


def spent(resources: Report, reports: Reports) -> Report | None:
    """Time and memory of each stage, against the budget of params.yaml."""
    if not resources:
        return None
    stages, total, budget = resources["stages"], resources["total"], reports.params.budgets
    clock = Scale.over((entry["seconds"] for entry in stages.values()), zero=True)
    rows = [
        (
            stage,
            bar(clock, entry["seconds"]),
            duration(entry["seconds"]),
            duration(entry["cpu_seconds"]),
            f"{number(entry['peak_memory_mb'], 0)} MB",
            f"{megabytes(entry['read_mb'])} / {megabytes(entry['written_mb'])}",
        )
        for stage, entry in stages.items()
    ]
    heads = ("Stage", "", "Time", "CPU", "Memory", "Read / written")
    told = (
        f"{duration(total['seconds'])} in all, of {duration(budget.seconds)} allowed; at most "
        f"{number(total['peak_memory_mb'], 0)} MB of memory, of "
        f"{number(budget.memory_mb, 0)} MB allowed."
    )
    return {"told": told, "table": Table("What each stage took", heads, "tdnnnn", rows)}


def megabytes(amount: float | None) -> str:
    return "?" if amount is None else f"{number(amount)} MB"


def lineage(reports: Reports) -> list[tuple[str, str]]:
    """Where it all comes from: enough to make the same model again."""
    made, contract = reports.registration, reports.contract
    changed = "changed since" if made.get("dirty") else None
    pairs = [
        ("Contract", f"{contract.id}, version {contract.version}"),
        ("Model version", made.get("version")),
        ("Run", made.get("run")),
        ("Git commit", made.get("git_commit")),
        ("Its files", changed),
        ("Data version", made.get("data_version")),
        ("Model file SHA-256", reports.package.get("sha256")),
        ("Python", made.get("python")),
        *(made.get("packages") or {}).items(),
    ]
    return [(name, str(value)) for name, value in pairs if value is not None]


def code(text: str) -> Markup:
    return Markup("<code>{}</code>").format(text)
