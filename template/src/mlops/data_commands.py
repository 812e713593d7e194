"""The group `data`: records in, kept, and out."""

from typing import Annotated, Literal

import typer

from .command_options import with_reading_options
from .records.reading_options import AS_IT_IS, Reading

app = typer.Typer(no_args_is_help=True, help="What: records in, kept by the contract, and out.")

Source = Annotated[str, typer.Argument(help="A file, folder, URL, bucket or database table.")]
Query = Annotated[str | None, typer.Option(help="SQL instead of a whole table.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell the effect; change nothing.")]
Where = Annotated[str | None, typer.Option(help='An SQL condition, such as "size > 2".')]
Version = Annotated[int | None, typer.Option(help="As it was at a version of `data history`.")]


@app.command(epilog="Example: data add orders.csv --target returned --key order")
@with_reading_options
def add(  # noqa: PLR0917
    source: Source,
    target: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="A column that identifies a row, alone or with others.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="The column that tells when; splits by it.")
    ] = None,
    group: Annotated[str | None, typer.Option(help="Rows of a group stay together.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="A column to leave out.")] = None,
    dates: Annotated[list[str] | None, typer.Option(help="COLUMN=FORMAT|FORMAT of a date.")] = None,
    decimal: Annotated[
        list[str] | None, typer.Option(help="The decimal mark, or COLUMN=MARK of one column.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="binary, multiclass or regression.")] = None,
    query: Query = None,
    reading: Reading = AS_IT_IS,
    replace: Annotated[bool, typer.Option(help="Start over with this table.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Take it though many rows share their key.")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Bring rows in: CSV, TSV, JSON, JSON Lines, Parquet (also .gz), Excel, zip, databases."""
    from .records.intake import add

    say(
        add(
            source,
            target=target,
            key=tuple(key or ()),
            time=time,
            group=group,
            ignore=tuple(ignore or ()),
            dates=tuple(dates or ()),
            decimal=tuple(decimal or ()),
            task=task,
            query=query,
            reading=reading,
            replace=replace,
            yes=yes,
            dry_run=dry_run,
        )
    )


@app.command(epilog="Example: data update orders-today.csv")
@with_reading_options
def update(
    source: Source,
    query: Query = None,
    reading: Reading = AS_IT_IS,
    cursor: Annotated[
        str | None,
        typer.Option(help="Ask a database only for rows since the last time, by this column."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Insert records whose key is new, and replace those that are different."""
    from .records.changes import update

    say(update(source, query=query, reading=reading, cursor=cursor, dry_run=dry_run))


@app.command(epilog="Example: data evolve new-orders.csv --yes")
@with_reading_options
def evolve(  # noqa: PLR0917
    source: Annotated[str | None, typer.Argument(help="As for add; else what has landed.")] = None,
    rename: Annotated[list[str] | None, typer.Option(help="OLD=NEW name of a column.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="A column no more delivered.")] = None,
    feature: Annotated[list[str] | None, typer.Option(help="A new column to learn from.")] = None,
    default: Annotated[
        list[str] | None, typer.Option(help="COLUMN=VALUE for files that lack it.")
    ] = None,
    type_: Annotated[list[str] | None, typer.Option("--type", help="COLUMN=TYPE, wider.")] = None,
    query: Query = None,
    reading: Reading = AS_IT_IS,
    yes: Annotated[bool, typer.Option("--yes", help="Write it, not only propose it.")] = False,
) -> None:
    """Take new, renamed, dropped or wider columns into the contract; old files stay readable."""
    from .records.evolution import RequestedChanges, evolve

    requested = RequestedChanges(
        *(tuple(each or ()) for each in (rename, drop, feature, default, type_))
    )
    say(evolve(source, requested=requested, query=query, reading=reading, yes=yes))


@app.command(epilog="Example: data delete 17 18")
def delete(
    keys: Annotated[list[str] | None, typer.Argument(help="Keys of records.")] = None,
    file: Annotated[str | None, typer.Option(help="A table with a column of keys.")] = None,
    where: Where = None,
    dry_run: DryRun = False,
) -> None:
    """Take records out, by key, by a file of keys or by a condition."""
    from .records.changes import delete

    say(delete(keys, file=file, where=where, dry_run=dry_run))


@app.command(epilog='Example: data show --where "amount > 90" --head 5')
def show(
    where: Where = None,
    head: Annotated[int, typer.Option(help="So many records; 0 for all.", min=0)] = 20,
    count: Annotated[bool, typer.Option("--count", help="Only how many there are.")] = False,
    form: Annotated[Literal["table", "csv", "json"], typer.Option("--format")] = "table",
    version: Version = None,
) -> None:
    """Read the records that keep the contract."""
    from .records.export import show

    say(show(where=where, head=head, only_count=count, form=form, version=version))


@app.command(epilog="Example: data export orders.parquet")
def export(
    target: Annotated[str, typer.Argument(help="A .csv, .jsonl or .parquet file, or a database.")],
    where: Where = None,
    version: Version = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over what is there.")] = False,
) -> None:
    """Write the records to a file, or to a table such as sqlite:///shop.db?orders."""
    from .records.export import export

    say(export(target, where=where, version=version, replace=replace))


@app.command(epilog="Example: data history --check")
def history(
    check: Annotated[
        bool, typer.Option("--check", help="Make the table again from nothing, and compare.")
    ] = False,
) -> None:
    """Every change of the table: when, who, what, and how many records it touched."""
    from .records.log_audit import list_changes, verify_log

    say(verify_log() if check else list_changes())


@app.command(epilog="Example: data restore 1")
def restore(
    version: Annotated[int, typer.Argument(help="A version of `data history`.", min=1)],
    dry_run: DryRun = False,
) -> None:
    """Make the table what it was at a version, as a new version."""
    from .records.changes import restore

    say(restore(version, dry_run=dry_run))


@app.command(epilog="Example: data compact")
def compact(dry_run: DryRun = False) -> None:
    """Put a table of many changes into one file for each format, without what is gone."""
    from .records.intake import compact

    say(compact(dry_run=dry_run))


@app.command(epilog="Example: data bench --seconds 2 --size 16 memory://scratch")
def bench(
    urls: Annotated[
        list[str] | None, typer.Argument(help="More places, such as s3://bucket/folder.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="To spend on each place.")] = 10,
    size: Annotated[int, typer.Option(min=4, help="MB to write to each place at most.")] = 256,
) -> None:
    """How fast are the disk, the DVC remote and other storage, and what does it cost?"""
    from .business import storage_page

    say(storage_page.bench(urls or [], seconds, size))


@app.command(epilog="Example: data check new-orders.csv")
@with_reading_options
def check(
    source: Annotated[
        str | None, typer.Argument(help="A table to hold against the contract.")
    ] = None,
    query: Query = None,
    reading: Reading = AS_IT_IS,
) -> None:
    """Does a file, or else the whole table, keep the contract? Changes nothing.

    Exit code 1 if rows of the file would be rejected, or of the table more than params.yaml allows.
    """
    from .records.contract_check import check_file, check_table

    say(check_file(source, query=query, reading=reading) if source else check_table())


@app.command(epilog="Example: data profile")
def profile() -> None:
    """Look at the table before a model learns from it, and see what to do about it.

    Writes reports/profile.html and reports/profile.json, also before the pipeline has run.
    """
    from .profile.landed_table import profile_landed_table

    say(profile_landed_table())


@app.command(epilog="Example: data pull")
def pull() -> None:
    """Bring what DVC keeps of this commit; exit code 1 if the table is not whole after that."""
    from .records.dvc_pull import pull

    say(pull())


def say(lines: list[str]) -> None:
    print("\n".join(lines))
