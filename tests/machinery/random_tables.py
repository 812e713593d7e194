"""Tables drawn at random, each column as it is written and as it is meant."""

import csv
import datetime as dt
import io
import json
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import polars as pl

ROWS = 36
UNCLEAR = "no value is right"
WORDS = [
    *("Köln", "naïve", "東京", "it's", 'say "hi"', "a,b", "x;y", "two  blanks", "tab\there", "-x"),
    *("1a", "3/4", "#", "=1+1", "^a.*$", "*", "e5", "N", "ü" * 40, "Москва", "50 or 60", "v1.2"),
]
NAMES = [
    *WORDS,
    "_clean",
    "value",
    "reason",
    "reasons",
    "_row",
    "_source",
    "_unreadable",
    "hash",
    "größe",
    "=x",
    "l" * 200,
    " padded ",
    "%",
    "{}",
]
MISSING = ["", "NA", "N/A", "NaN", "null", "None", "?", "-", "n/a", "#N/A", "<NA>", "k.A."]
DATES = ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%y", "%d %b %Y", "%Y/%m/%d"]
CLOCKS = ["", " %H:%M", " %H:%M:%S", "T%H:%M:%S.%f"]
MARKS = {",": [None, ".", " ", "\u00a0", "'"], ".": [None, ",", " ", "\u2019"]}


class Drawn(NamedTuple):
    """The texts of a column, "" and others where there is no value, and the values meant."""

    texts: list[str]
    meant: list[Any]


class Style(NamedTuple):
    """How a table is written; numbers are in one way, as one program writes them."""

    separator: str
    decimal: str
    thousands: str | None
    missing: str


def draw_style(chance: random.Random) -> Style:
    separator, decimal = chance.choice(",;\t|"), chance.choice(",.")
    thousands = chance.choice(MARKS[decimal])
    if separator == ",":  # there, a point alone is taken for the decimal mark
        decimal, thousands = ".", chance.choice(MARKS["."])
    return Style(separator, decimal, thousands, chance.choice(MISSING))


def write_number(number: Decimal, style: Style) -> str:
    text = f"{number:,f}".replace(",", "\0").replace(".", style.decimal)
    return text.replace("\0", style.thousands or "")


def draw_integers(chance: random.Random, style: Style) -> Drawn:
    most = 10 ** chance.choice([1, 2, 4, 5, 6, 6, 9, 15, 17, 19])
    numbers = [chance.randrange(-most * chance.randint(0, 1), most) for _ in range(ROWS)]
    grouped = style if chance.random() < 0.5 else style._replace(thousands=None)
    return Drawn([write_number(Decimal(number), grouped) for number in numbers], numbers)


def draw_fractions(chance: random.Random, style: Style) -> Drawn:
    places, most = chance.choice([1, 2, 3, 3, 3, 6]), 10 ** chance.choice([0, 1, 2, 3, 4, 6])
    numbers = [Decimal(f"{chance.uniform(-most, most):.{places}f}") for _ in range(ROWS)]
    return Drawn([write_number(number, style) for number in numbers], numbers)


def draw_floats(chance: random.Random, style: Style) -> Drawn:
    numbers = [chance.gauss(0, 1) * 10.0 ** chance.randint(-9, 19) for _ in range(ROWS)]
    return Drawn([repr(number).replace(".", style.decimal) for number in numbers], numbers)


def draw_amounts(chance: random.Random, style: Style) -> Drawn:
    drawn = draw_fractions(chance, style)
    units = ["€", "$", "EUR", "USD", "CHF", "kr", "£", "kg", "ft", "kWh"]
    unit, before = chance.choice(units), chance.random() < 0.5
    before = before and unit not in units[-3:]
    blank, negative = chance.choice(["", " ", "\u00a0"]), chance.choice("-(\u2212<")
    texts = []
    for text in drawn.texts:
        plain = text.removeprefix("-")
        with_unit = f"{unit}{blank}{plain}" if before else f"{plain}{blank}{unit}"
        signs = {"-": f"-{with_unit}", "\u2212": f"\u2212{with_unit}", "(": f"({with_unit})"}
        texts.append(with_unit if plain == text else signs.get(negative, f"{with_unit}-"))
    return Drawn(texts, drawn.meant)


def draw_percents(chance: random.Random, style: Style) -> Drawn:
    drawn = draw_fractions(chance, style)
    mark = chance.choice(["%", " %"])
    return Drawn([text + mark for text in drawn.texts], [number / 100 for number in drawn.meant])


def draw_several_units(chance: random.Random, style: Style) -> Drawn:
    """Draw numbers that nothing makes comparable: one unit or another, or none."""
    drawn = draw_fractions(chance, style)
    units = chance.choice(
        [["€", "$"], ["EUR", "CHF"], ["%", ""], ["‰", "%"], [" kg", " g"], ["m", "ft"], ["km", ""]]
    )
    return Drawn([text + chance.choice(units) for text in drawn.texts], [UNCLEAR] * ROWS)


def draw_codes(chance: random.Random, style: Style) -> Drawn:
    width = chance.randint(2, 20)
    codes = [f"{chance.randrange(10**width):0{width}}" for _ in range(ROWS)]
    codes[::4] = ["0" * (width - 1) + str(number) for number in range(len(codes[::4]))]
    return Drawn(codes, codes)


def draw_telephones(chance: random.Random, style: Style) -> Drawn:
    numbers = [f"+{chance.randrange(10**9, 10**12)}" for _ in range(ROWS)]
    return Drawn(numbers, numbers)


def draw_hexadecimals(chance: random.Random, style: Style) -> Drawn:
    texts = [chance.choice(["", "0x"]) + f"{chance.randrange(16**4):x}" for _ in range(ROWS)]
    return Drawn(texts, texts)


def draw_words(chance: random.Random, style: Style) -> Drawn:
    few = chance.sample(WORDS, chance.randint(2, 9))
    words = [chance.choice(few) for _ in range(ROWS)]
    return Drawn(words, words)


def draw_booleans(chance: random.Random, style: Style) -> Drawn:
    no, yes = chance.choice([("no", "yes"), ("False", "True"), ("F", "T"), ("n", "y")])
    answers = [chance.random() < 0.5 for _ in range(ROWS)]
    return Drawn([yes if answer else no for answer in answers], answers)


def draw_times(chance: random.Random, style: Style) -> Drawn:
    form = chance.choice(DATES) + chance.choice(CLOCKS)
    start, step = dt.datetime(1970, 1, 1), dt.timedelta(microseconds=1)
    moments = [
        start + step * chance.randrange(50 * 365 * 24 * 3600 * 1_000_000) for _ in range(ROWS)
    ]
    texts = [moment.strftime(form) for moment in moments]
    return Drawn(texts, [dt.datetime.strptime(text, form) for text in texts])


KINDS: list[Callable[[random.Random, Style], Drawn]] = [
    *(draw_integers, draw_fractions, draw_floats, draw_amounts, draw_percents, draw_codes),
    *(
        draw_fractions,
        draw_integers,
        draw_several_units,
        draw_telephones,
        draw_hexadecimals,
        draw_words,
        draw_booleans,
        draw_times,
    ),
]


def draw_columns(chance: random.Random, style: Style) -> dict[str, Drawn]:
    """Draw some columns of any kind with some cells missing, and a target `answer`."""
    columns = {}
    for name in chance.sample(NAMES, chance.randint(2, 6)):
        texts, meant = chance.choice(KINDS)(chance, style)
        lacks = [chance.random() < chance.choice([0, 0, 0.2]) for _ in range(ROWS)]
        columns[name] = Drawn(
            [style.missing if lack else text for lack, text in zip(lacks, texts, strict=True)],
            [None if lack else value for lack, value in zip(lacks, meant, strict=True)],
        )
    answers = [chance.choice(["yes", "no"]) for _ in range(ROWS)]
    answers[:2] = "yes", "no"
    columns["answer"] = Drawn(answers, [answer == "yes" for answer in answers])
    return columns


def write_table(
    columns: dict[str, Drawn], style: Style, chance: random.Random, folder: Path
) -> tuple[Path, str | None]:
    """Write the texts in one of many formats and dialects; return the file and its encoding."""
    table = {name: drawn.texts for name, drawn in columns.items()}
    kind = chance.choice(["csv", "csv", "csv", "pandas", "polars", "jsonl", "json", "parquet"])
    if kind in ("csv", "pandas", "polars"):
        return _write_csv(table, style, chance, folder, kind)
    path = folder / f"t.{kind}"
    if kind == "parquet":
        pl.DataFrame(table).write_parquet(path)
        return path, None
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    lines = [json.dumps(row, ensure_ascii=chance.random() < 0.5) for row in rows]
    text = "\n".join(lines) if kind == "jsonl" else f"[{','.join(lines)}]"
    path.write_text(text, encoding="utf-8")
    return path, None


def _write_csv(
    table: dict[str, list[str]], style: Style, chance: random.Random, folder: Path, kind: str
) -> tuple[Path, str | None]:
    if kind == "polars":
        text = pl.DataFrame(table).write_csv(separator=style.separator)
    elif kind == "pandas":
        text = pd.DataFrame(table).to_csv(index=False, sep=style.separator)
    else:
        stream = io.StringIO()
        rows = csv.writer(
            stream,
            delimiter=style.separator,
            quoting=chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
            lineterminator=chance.choice(["\n", "\r\n"]),
        )
        rows.writerows([list(table), *zip(*table.values(), strict=True)])
        text = stream.getvalue()
    encoding = chance.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        encoding, content = "utf-8", text.encode()
    path = folder / "t.csv"
    path.write_bytes(content)
    return path, None if encoding in ("utf-8", "utf-8-sig") else encoding
