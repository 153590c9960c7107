"""What the loaded data can and cannot say, before any score."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundswell.core.assess import availability, would_compute
from groundswell.core.tables.contract import TABLES
from groundswell.core.tables.identity import OUR_COMPANY
from groundswell.engine.duckdb import Engine
from groundswell.engine.home import Home


@dataclass(frozen=True)
class Unlisted:
    """Partners that rows of a table name and no row describes: what those rows say is in no assessment."""

    table: str
    count: int
    first: tuple[tuple[str, str, int], ...]
    """(partner_id, load, line) of a row that names one, for the first few."""


@dataclass(frozen=True)
class Quality:
    """Counts of a day, what is not known, and which signals the data can compute."""

    as_of: dt.date
    partners: int
    accounts: int
    deals: int
    signals: int
    computable: int
    would_add: dict[str, int]
    unavailable: dict[str, tuple[str, ...]]
    shared_domains: tuple[tuple[str, int], ...]
    """Domains that several organisations bear: merges to propose to a person, never made by themselves."""
    deals_without_amount: int
    unlisted: tuple[Unlisted, ...]


def quality(home: Home, as_of: dt.date) -> Quality:
    """The quality report of a day."""
    with home.day(as_of) as engine:
        unavailable, would_add = availability(home.policy, as_of, engine.ask)
        counted = {"partners": "*", "accounts": "*", "deals_now": "distinct group_key"}
        counts = {name: int(str(engine.one(f"select count({what}) from {name}"))) for name, what in counted.items()}
        shared = engine.ask(
            "select domain, count(*) as n from organisations_now where domain is not null "
            "group by domain having count(*) > 1 order by n desc, domain limit 20"
        )
        unlisted = tuple(_unlisted(engine))
        empty = engine.one("select count(*) from deals_now where amount is null and amount_home is null")
    declared = len(home.policy.signals)
    return Quality(
        as_of=as_of,
        partners=counts["partners"],
        accounts=counts["accounts"],
        deals=counts["deals_now"],
        signals=declared,
        computable=declared - len(unavailable),
        would_add=would_add,
        unavailable=unavailable,
        shared_domains=tuple((str(row["domain"]), int(str(row["n"]))) for row in shared),
        deals_without_amount=int(str(empty)),
        unlisted=unlisted,
    )


@dataclass(frozen=True)
class More:
    """What a source could bring, in words, and the signals that could be computed then."""

    what: str
    signals: tuple[str, ...]


def more_of(manifest: dict[str, Any]) -> list[More]:
    """What would add signals to a run, that which adds most first."""
    lacking = manifest["unavailable"]
    return [More(wanted(table, lacking), signals) for table, signals in would_compute(lacking).items()]


_NAMED = 3
"""So many of them are named."""


def _unlisted(engine: Engine) -> Iterator[Unlisted]:
    for name, table in TABLES.items():
        if "partner_id" not in table.names:
            continue
        rows = engine.ask(
            "select *, count(*) over () as of_all from (select partner_id, first(load_id order by load_id, line) as load, "
            f"first(line order by load_id, line) as line from {name}_now as t where partner_id <> $ours and not exists "
            "(select 1 from organisations_now as o where o.organisation_id = t.partner_id) group by partner_id) "
            f"order by load, line, partner_id limit {_NAMED}",
            {"ours": OUR_COMPANY},
        )
        if rows:
            first = tuple((str(row["partner_id"]), str(row["load"]), int(str(row["line"]))) for row in rows)
            yield Unlisted(name, int(str(rows[0]["of_all"])), first)


_WORDS = 4
"""So many kinds of rows are named; the others are counted."""


def computable(count: int, declared: int, would_add: dict[str, int], unavailable: Mapping[str, Sequence[str]]) -> str:
    """N of M signals can be computed; X would add K, with the columns that are wanted where the table is there."""
    more = "; ".join(f"{wanted(table, unavailable)} would add {added}" for table, added in would_add.items())
    return f"{count} of {declared} signals can be computed from your data{'; ' + more if more else ''}."


def computable_of(manifest: dict[str, Any]) -> str:
    """The same of a run."""
    could = manifest["signals"]
    return computable(could["computable"], could["declared"], manifest["would_add"], manifest["unavailable"])


def wanted(table: str, unavailable: Mapping[str, Sequence[str]]) -> str:
    """A table with what is wanting of it: columns, and kinds of rows."""
    names = {name for missing in unavailable.values() for name in missing}
    columns = sorted(name.split(".")[1] for name in names if name.startswith(f"{table}."))
    kinds = [re.fullmatch(rf"{table} of (?:type|kind) (.+)", name) for name in names]
    words = sorted({word for kind in kinds if kind for word in kind[1].split(" or ")})
    if table in names or not (columns or words):
        return table
    rest = [f"{len(words) - _WORDS} more"] if len(words) > _WORDS else []
    return f"{table} with {', '.join([*columns, *words[:_WORDS], *rest])}"
