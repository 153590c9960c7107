"""What the loaded data can and cannot say, before any score."""

import datetime as dt
from dataclasses import dataclass

from groundswell.core.assess import availability
from groundswell.engine.home import Home


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
    )
