"""The view of a day, folded from literal versions: by version not by arrival, source by source, cut by both times."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.core.tables import fold
from groundswell.core.tables.contract import ENVELOPE, TABLES, Column, Table
from groundswell.core.tables.typed import sql_type
from groundswell.engine.duckdb import Engine, start_of_next_day

Row = Mapping[str, object]
D = dt.date


def at(day: dt.date, hour: int = 12) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), dt.UTC)


@dataclass
class Lake:
    """Versions of one table in an engine, and the view of a day over them."""

    engine: Engine
    table: Table
    sources: tuple[str, ...] = ("crm", "portal", "files")
    redirects: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"

    def __post_init__(self) -> None:
        columns = ", ".join(f"{c.name} {sql_type(c)}" for c in (*ENVELOPE, *self.table.columns))
        self.engine.do(f"create or replace table versions ({columns})")
        self.engine.do("create or replace table source_order (source varchar, for_table varchar, place integer)")
        for place, source in enumerate(self.sources):
            self._insert("source_order", {"source": source, "for_table": self.table.name, "place": place})
        self.engine.do("create or replace table redirects (from_id varchar, into_id varchar)")
        self.redirect(self.redirects)

    def redirect(self, ends: Mapping[str, str]) -> None:
        """Which ids give way to which, chains already followed."""
        self.engine.do("delete from redirects")
        for from_id, into_id in ends.items():
            self._insert("redirects", {"from_id": from_id, "into_id": into_id})

    def _insert(self, into: str, cells: Row) -> None:
        names, values = ", ".join(cells), ", ".join(f"${name}" for name in cells)
        self.engine.do(f"insert into {into} ({names}) values ({values})", cells)

    def add(self, own_id: str, known: dt.date | dt.datetime, source: str = "crm", **cells: object) -> None:
        """One version; `known` is a day (its noon) or a moment. The row hash is a text over the own cells."""
        known_at = known if isinstance(known, dt.datetime) else at(known)
        said = {c.name: cells[c.name] for c in self.table.columns if c.name in cells}
        row_hash = json.dumps([said, cells.get("occurred_on")], default=str, sort_keys=True)
        envelope = {
            "own_id": own_id, "known_at": known_at, "known_by": "source", "source": source, "object": self.table.name,
            "external_id": own_id, "row_hash": row_hash, "load_id": "load-1", "landing": "landing-1", "line": 2,
            "deleted": False, "mention": False,
        }  # fmt: skip
        self._insert("versions", envelope | cells)

    def day(self, as_of: dt.date) -> list[dict[str, object]]:
        """The current view as of a day."""
        sql = fold.current_sql(self.table, "versions")
        key = self.table.identity or "own_id"
        given_ = {"cut": start_of_next_day(as_of, self.zone), "home_zone": self.zone, "as_of": as_of}
        return sorted(self.engine.ask(sql, given_), key=lambda row: str(row[key]))

    def cells(self, as_of: dt.date, *names: str) -> list[tuple[object, ...]]:
        """Some columns of the view, row by row in the order of ids."""
        return [tuple(row[name] for name in names) for row in self.day(as_of)]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = Engine(threads=1)
    yield made
    made.close()


@pytest.fixture
def organisations(engine: Engine) -> Lake:
    return Lake(engine, TABLES["organisations"])


@pytest.fixture
def deals(engine: Engine) -> Lake:
    return Lake(engine, TABLES["deals"])


@pytest.fixture
def touches(engine: Engine) -> Lake:
    return Lake(engine, TABLES["touches"])


JAN, FEB, MAR, APR, LATE = D(2026, 1, 31), D(2026, 2, 28), D(2026, 3, 31), D(2026, 4, 30), D(2026, 12, 31)


# --------------------------------------------------------------------------------------------- the latest version


def test_the_latest_version_stands_and_each_day_sees_what_was_known_by_then(deals: Lake) -> None:
    deals.add("d_1", JAN, stage_class="open", occurred_on=JAN)
    deals.add("d_1", FEB, stage_class="won", occurred_on=JAN)
    assert deals.cells(D(2026, 1, 30), "stage_class") == []
    assert deals.cells(JAN, "stage_class") == [("open",)]
    assert deals.cells(D(2026, 2, 27), "stage_class") == [("open",)]
    assert deals.cells(FEB, "stage_class") == [("won",)]


def test_a_day_ends_at_midnight_of_the_home_zone(deals: Lake) -> None:
    deals.zone = "America/New_York"
    deals.add("d_1", dt.datetime(2026, 2, 1, 4, 59, 59, tzinfo=dt.UTC), name="before", occurred_on=JAN)
    deals.add("d_2", dt.datetime(2026, 2, 1, 5, 0, 0, tzinfo=dt.UTC), name="after", occurred_on=JAN)
    assert deals.cells(JAN, "name") == [("before",)]
    assert deals.cells(D(2026, 2, 1), "name") == [("before",), ("after",)]


def test_an_old_version_that_arrives_late_does_not_displace_a_newer_one(deals: Lake) -> None:
    deals.add("d_1", FEB, stage_class="won", changed_at=at(FEB), occurred_on=JAN)
    deals.add("d_1", MAR, stage_class="open", changed_at=at(JAN), occurred_on=JAN)
    assert deals.cells(MAR, "stage_class") == [("won",)]


def test_versions_without_a_stamp_are_ordered_by_when_they_were_known(deals: Lake) -> None:
    deals.add("d_1", MAR, stage_class="won", occurred_on=JAN)
    deals.add("d_1", FEB, stage_class="open", occurred_on=JAN)
    assert deals.cells(MAR, "stage_class") == [("won",)]


def test_of_one_stamp_the_version_known_later_stands_then_the_greater_hash(deals: Lake) -> None:
    deals.add("d_1", FEB, name="a, known later", changed_at=at(JAN), occurred_on=JAN)
    deals.add("d_1", JAN, name="z, known earlier", changed_at=at(JAN), occurred_on=JAN)
    deals.add("d_2", JAN, name="a", occurred_on=JAN)
    deals.add("d_2", JAN, name="b", occurred_on=JAN)
    assert deals.cells(FEB, "name") == [("a, known later",), ("b",)]


def test_a_deletion_wins_by_version_and_not_by_arrival(deals: Lake) -> None:
    deals.add("d_1", FEB, name="gone", changed_at=at(FEB), deleted=True, occurred_on=JAN)
    deals.add("d_1", MAR, name="old", changed_at=at(JAN), occurred_on=JAN)
    deals.add("d_2", FEB, name="back", changed_at=at(JAN), deleted=True, occurred_on=JAN)
    deals.add("d_2", FEB, name="back", changed_at=at(FEB), occurred_on=JAN)
    assert deals.cells(MAR, "deal_id", "name") == [("d_2", "back")]


def test_what_was_deleted_is_still_seen_by_the_days_before(deals: Lake) -> None:
    deals.add("d_1", JAN, name="here", occurred_on=JAN)
    deals.add("d_1", MAR, name="here", occurred_on=JAN, deleted=True)
    assert [len(deals.day(day)) for day in (JAN, FEB, MAR)] == [1, 1, 0]


def test_what_begins_after_the_day_is_not_there_and_plans_may_lie_ahead(deals: Lake) -> None:
    deals.add("d_1", JAN, name="planned", occurred_on=MAR)
    deals.add("d_2", JAN, name="open", occurred_on=JAN, close_on=LATE)
    assert deals.cells(FEB, "name", "close_on") == [("open", LATE)]
    assert deals.cells(MAR, "name") == [("planned",), ("open",)]


def test_a_row_without_a_day_has_the_day_it_was_first_known_in_the_home_zone(deals: Lake) -> None:
    deals.zone = "Asia/Tokyo"
    deals.add("d_1", dt.datetime(2026, 1, 31, 16, 0, tzinfo=dt.UTC), name="v1")
    deals.add("d_1", MAR, name="v2")
    assert deals.cells(JAN, "name") == []
    assert deals.cells(D(2026, 2, 1), "name", "occurred_on") == [("v1", D(2026, 2, 1))]
    assert deals.cells(MAR, "name", "occurred_on") == [("v2", D(2026, 2, 1))]


# ------------------------------------------------------------------------------------------------- several sources


def test_the_first_source_in_order_is_home_and_the_others_fill_what_it_leaves_empty(organisations: Lake) -> None:
    organisations.add("o_1", JAN, "files", name="Acme (file)", country="DE", domain="acme.example", occurred_on=JAN)
    organisations.add("o_2", FEB, "crm", name="Acme", country="AT", occurred_on=JAN)
    organisations.redirect({"o_1": "o_2"})
    row = organisations.day(FEB)[0]
    assert (row["organisation_id"], row["name"], row["country"], row["domain"]) == ("o_2", "Acme", "AT", "acme.example")
    assert (row["source"], row["external_id"]) == ("crm", "o_2")


def test_the_source_order_decides_even_where_the_other_source_is_newer_or_holds_the_id_that_stays(
    organisations: Lake,
) -> None:
    organisations.sources = ("portal", "crm")
    organisations.__post_init__()
    organisations.add("o_1", JAN, "portal", name="by portal", occurred_on=JAN)
    organisations.add("o_2", MAR, "crm", name="by crm", occurred_on=JAN)
    organisations.redirect({"o_1": "o_2"})
    assert organisations.cells(MAR, "organisation_id", "name", "source") == [("o_2", "by portal", "portal")]


def test_within_one_source_the_id_that_stays_is_home(organisations: Lake) -> None:
    organisations.add("o_1", MAR, name="gives way", domain="old.example", country="DE", occurred_on=JAN)
    organisations.add("o_9", JAN, name="stays", country="AT", occurred_on=JAN)
    organisations.redirect({"o_1": "o_9"})
    assert organisations.cells(MAR, "organisation_id", "name", "country", "domain") == [
        ("o_9", "stays", "AT", "old.example")
    ]


def test_a_version_that_leaves_a_cell_empty_empties_it_unless_another_source_fills_it(organisations: Lake) -> None:
    organisations.add("o_1", JAN, name="Acme", country="DE", domain="acme.example", occurred_on=JAN)
    organisations.add("o_1", FEB, name="Acme", occurred_on=JAN)
    organisations.add("o_2", JAN, "files", name="Acme", country="AT", occurred_on=JAN)
    organisations.redirect({"o_2": "o_1"})
    assert organisations.cells(FEB, "country", "domain") == [("AT", None)]


def test_a_mention_fills_and_never_overwrites(organisations: Lake) -> None:
    organisations.add("o_1", JAN, name="Acme", is_partner=True, occurred_on=JAN)
    organisations.add("o_1", MAR, name="ACME INC", country="US", mention=True, occurred_on=MAR)
    assert organisations.cells(MAR, "name", "country", "occurred_on") == [("Acme", "US", JAN)]


def test_a_mention_of_the_first_source_comes_after_every_row_of_its_own_of_a_later_source(organisations: Lake) -> None:
    organisations.add("o_1", JAN, "crm", name="mentioned", mention=True, occurred_on=JAN)
    organisations.add("o_2", JAN, "files", name="stated", occurred_on=JAN)
    organisations.redirect({"o_2": "o_1"})
    assert organisations.cells(JAN, "name", "source") == [("stated", "files")]


def test_a_mention_alone_is_enough_to_be_there(organisations: Lake) -> None:
    organisations.add("o_1", JAN, name="mentioned", mention=True, occurred_on=JAN)
    assert organisations.cells(JAN, "name") == [("mentioned",)]


def test_roles_add_up_over_sources_and_mentions_and_unsaid_is_no(organisations: Lake) -> None:
    organisations.add("o_1", JAN, "crm", name="A", is_partner=True, is_customer=False, occurred_on=JAN)
    organisations.add("o_1", JAN, "crm", name="A", is_customer=True, mention=True, occurred_on=JAN)
    organisations.add("o_2", JAN, "crm", name="B", is_partner=False, occurred_on=JAN)
    organisations.add("o_3", JAN, "files", name="B", is_customer=True, is_partner=False, occurred_on=JAN)
    organisations.add("o_4", JAN, "crm", name="C", occurred_on=JAN)
    organisations.redirect({"o_3": "o_2"})
    assert organisations.cells(JAN, "name", "is_partner", "is_customer") == [
        ("A", True, True),
        ("B", False, True),
        ("C", False, False),
    ]


def test_columns_that_belong_together_come_from_one_row(engine: Engine, deals: Lake) -> None:
    deals.add("d_1", JAN, "crm", name="D", stage="Closed Won", stage_class="won", amount=None, occurred_on=JAN)
    deals.add("d_2", JAN, "files", name="D", amount=100, currency=None, stage="x", stage_class="open", occurred_on=JAN)
    deals.add("d_3", JAN, "portal", name="D", amount=None, currency="EUR", product="p", occurred_on=JAN)
    deals.redirect({"d_2": "d_1", "d_3": "d_1"})
    # crm says neither; portal comes before files and says the currency: the amount of files is not mixed with it.
    assert deals.cells(JAN, "amount", "currency", "stage", "stage_class", "product") == [
        (None, "EUR", "Closed Won", "won", "p")
    ]


def test_when_it_happened_is_what_the_home_row_says(organisations: Lake) -> None:
    moment = at(FEB, 9)
    organisations.add("o_1", JAN, "files", name="A", occurred_on=JAN)
    organisations.add("o_2", JAN, "crm", name="A", occurred_on=FEB, occurred_at=moment)
    organisations.redirect({"o_1": "o_2"})
    assert organisations.cells(JAN, "name") == []
    assert organisations.cells(FEB, "occurred_on", "occurred_at") == [(FEB, moment)]


def test_the_evidence_is_that_of_the_home_row(organisations: Lake) -> None:
    organisations.add("o_1", JAN, "files", name="A", occurred_on=JAN, landing="file", line=7)
    organisations.add("o_2", FEB, "crm", name="A", occurred_on=JAN, landing="crm", line=3)
    organisations.redirect({"o_1": "o_2"})
    assert organisations.cells(FEB, "landing", "line", "known_at") == [("crm", 3, at(FEB))]
    assert organisations.cells(JAN, "landing", "line", "known_at") == [("file", 7, at(JAN))]


def test_a_source_whose_version_is_deleted_fills_nothing(organisations: Lake) -> None:
    organisations.add("o_1", JAN, "crm", name="A", occurred_on=JAN)
    organisations.add("o_2", JAN, "files", name="B", country="DE", occurred_on=JAN, deleted=True)
    organisations.redirect({"o_2": "o_1"})
    assert organisations.cells(JAN, "name", "country") == [("A", None)]


# ---------------------------------------------------------------------------------------------------------- links


def test_references_read_through_links(deals: Lake) -> None:
    deals.add("d_1", JAN, name="D", account_id="o_1", converted_from="d_0", occurred_on=JAN)
    deals.redirect({"o_1": "o_2", "d_0": "d_9"})
    assert deals.cells(JAN, "account_id", "converted_from") == [("o_2", "d_9")]


def test_references_of_rows_without_an_identity_read_through_links_too(touches: Lake) -> None:
    cells = {"subject_kind": "deal", "subject_id": "d_1", "partner_id": "o_1", "role": "sourced", "occurred_on": JAN}
    touches.add("h_1", JAN, **cells)
    touches.redirect({"o_1": "o_2", "d_1": "d_2"})
    assert touches.cells(JAN, "subject_id", "partner_id", "own_id") == [("d_2", "o_2", "h_1")]


def test_rows_without_an_identity_are_their_latest_versions(touches: Lake) -> None:
    touches.add("h_1", JAN, role="sourced", occurred_on=JAN)
    touches.add("h_1", FEB, role="resold", occurred_on=JAN)
    touches.add("h_2", JAN, role="sourced")
    touches.add("h_3", JAN, role="sourced", occurred_on=MAR)
    touches.add("h_4", JAN, role="sourced", occurred_on=JAN)
    touches.add("h_4", FEB, role="sourced", occurred_on=JAN, deleted=True)
    assert touches.cells(JAN, "own_id", "role") == [("h_1", "sourced"), ("h_2", "sourced"), ("h_4", "sourced")]
    assert touches.cells(FEB, "own_id", "role") == [("h_1", "resold"), ("h_2", "sourced")]
    assert [row["occurred_on"] for row in touches.day(FEB)] == [JAN, JAN]


def test_links_are_a_dated_table_whose_chains_the_day_follows(engine: Engine) -> None:
    links = Lake(engine, TABLES["links"])
    links.add("l_1", JAN, from_id="o_1", into_id="o_2", how="person", occurred_on=JAN)
    links.add("l_2", FEB, from_id="o_2", into_id="o_3", how="source", occurred_on=FEB)
    links.add("l_1", MAR, from_id="o_1", into_id="o_2", how="person", occurred_on=JAN, deleted=True)
    assert links.cells(JAN, "from_id", "into_id") == [("o_1", "o_2")]
    assert links.cells(FEB, "from_id", "into_id") == [("o_1", "o_2"), ("o_2", "o_3")]
    assert links.cells(MAR, "from_id", "into_id") == [("o_2", "o_3")]


# ------------------------------------------------------------------------------------------------------ unchanged


def unchanged(lake: Lake, staged: Sequence[Row], alone: bool = False) -> list[bool]:
    """What `unchanged_sql` answers of rows {own_id, known, hash, ...} in their order, against the lake's versions."""
    _stage(lake.engine, staged)
    sql = fold.unchanged_sql(lake.table, "staged", "versions", alone)
    return [bool(row["unchanged"]) for row in lake.engine.ask(f"select * from ({sql}) order by staged_row")]


_STAGED_TYPES = {c.name: sql_type(c) for c in ENVELOPE} | {"staged_row": "bigint"}


def _stage(engine: Engine, staged: Sequence[Row]) -> None:
    names = (
        "own_id",
        "source",
        "mention",
        "deleted",
        "changed_at",
        "known_at",
        "known_by",
        "row_hash",
        "staged_row",
        "line",
    )
    engine.do(f"create or replace table staged ({', '.join(f'{n} {_STAGED_TYPES[n]}' for n in names)})")
    for number, row in enumerate(staged, start=1):
        defaults = {
            "source": "crm",
            "mention": False,
            "deleted": False,
            "changed_at": None,
            "known_by": "arrival",
            "line": number + 1,
        }
        cells = {**defaults, **row, "staged_row": number}
        engine.do(f"insert into staged ({', '.join(cells)}) values ({', '.join('$' + n for n in cells)})", cells)


def _stored(lake: Lake, *rows: Row) -> None:
    for row in rows:
        lake.add(**{"own_id": "d_1", "known": JAN, **row})  # type: ignore[arg-type]


def test_a_row_that_says_what_the_version_before_its_place_says_is_unchanged(deals: Lake) -> None:
    _stored(deals, {"row_hash": "A"})
    rows = [
        {"own_id": "d_1", "known_at": at(FEB), "row_hash": "A"},
        {"own_id": "d_2", "known_at": at(FEB), "row_hash": "A"},
    ]
    assert unchanged(deals, rows) == [True, False]


def test_a_changed_row_and_a_row_that_changes_back_are_both_written(deals: Lake) -> None:
    _stored(deals, {"row_hash": "A"})
    rows = [{"own_id": "d_1", "known_at": at(day), "row_hash": text} for day, text in ((FEB, "B"), (MAR, "A"))]
    assert unchanged(deals, rows) == [False, False]


def test_an_older_row_is_compared_at_its_own_place(deals: Lake) -> None:
    _stored(deals, {"row_hash": "A", "known": JAN}, {"row_hash": "B", "known": MAR})
    assert unchanged(deals, [{"own_id": "d_1", "known_at": at(FEB), "row_hash": "A"}]) == [True]
    assert unchanged(deals, [{"own_id": "d_1", "known_at": at(FEB), "row_hash": "B"}]) == [False]
    assert unchanged(deals, [{"own_id": "d_1", "known_at": at(D(2026, 1, 1)), "row_hash": "A"}]) == [False]


def test_the_stamp_of_the_source_decides_the_place_and_is_compared(deals: Lake) -> None:
    _stored(deals, {"row_hash": "A", "changed_at": at(JAN)}, {"row_hash": "B", "changed_at": at(MAR)})
    same = {"own_id": "d_1", "known_at": at(LATE), "row_hash": "A"}
    assert unchanged(deals, [same | {"changed_at": at(JAN)}]) == [True]
    assert unchanged(deals, [same | {"changed_at": at(FEB)}]) == [False]
    assert unchanged(deals, [same | {"changed_at": at(MAR)}]) == [False]


def test_of_one_stamp_the_version_known_before_is_the_one_compared_with(deals: Lake) -> None:
    _stored(deals, {"row_hash": "A", "changed_at": at(JAN)}, {"row_hash": "B", "changed_at": at(JAN), "known": FEB})
    back = {"own_id": "d_1", "known_at": at(MAR), "changed_at": at(JAN)}
    assert unchanged(deals, [back | {"row_hash": "A"}]) == [False]
    assert unchanged(deals, [back | {"row_hash": "B"}]) == [True]


def test_a_row_that_follows_no_other_says_so(deals: Lake) -> None:
    _stored(deals, {"row_hash": "A", "known": FEB})
    rows = [{"own_id": "d_1", "known_at": at(day), "row_hash": "B"} for day in (JAN, MAR)]
    _stage(deals.engine, [*rows, {"own_id": "d_2", "known_at": at(MAR), "row_hash": "B"}])
    sql = fold.unchanged_sql(deals.table, "staged", "versions")
    found = deals.engine.ask(f"select follows from ({sql}) order by staged_row")
    assert [row["follows"] for row in found] == [False, True, False]


def test_a_deletion_of_the_same_row_is_a_change(deals: Lake) -> None:
    _stored(deals, {"row_hash": "A"})
    gone = {"own_id": "d_1", "known_at": at(FEB), "row_hash": "A", "deleted": True}
    assert unchanged(deals, [gone, gone | {"known_at": at(MAR)}]) == [False, True]


def test_sources_and_mentions_are_compared_apart(deals: Lake) -> None:
    _stored(deals, {"row_hash": "A"})
    same = {"own_id": "d_1", "known_at": at(FEB), "row_hash": "A"}
    assert unchanged(deals, [same | {"source": "portal"}, same | {"mention": True}, same]) == [False, False, True]


def test_of_equal_rows_in_one_file_the_first_is_written(deals: Lake) -> None:
    same = {"own_id": "d_1", "known_at": at(FEB), "row_hash": "A"}
    assert unchanged(deals, [same, same, same]) == [False, True, True]


def test_a_stored_version_comes_before_an_equal_staged_one(deals: Lake) -> None:
    _stored(deals, {"row_hash": "A"})
    assert unchanged(deals, [{"own_id": "d_1", "known_at": at(JAN), "row_hash": "A"}]) == [True]


# -------------------------------------------------------------------------------------- any order, any batching

THINGS = Table("things", "x", "things of a test", identity="thing_id", columns=(
    Column("name", "text", "a name"),
    Column("amount", "int", "an amount", together="amount"),
    Column("currency", "text", "its currency", together="amount"),
    Column("is_partner", "bool", "a role"),
    Column("owner_id", "id", "a reference", refers="things"),
))  # fmt: skip
NOTES = Table("notes", "y", "rows without an identity", columns=THINGS.columns)
FIRST = D(2026, 1, 1)
DAYS = [FIRST + dt.timedelta(days=n) for n in range(4)]
BUSINESS = ("name", "amount", "currency", "is_partner", "owner_id", "occurred_on")
_DAY = st.integers(0, 3)


@st.composite
def facts(draw: st.DrawFn, most: int = 12) -> list[tuple[object, ...]]:
    """Distinct dated facts of few keys and few values: (known, id, source, mention, changed, deleted, when, own)."""
    seldom = st.sampled_from([False, False, False, False, False, True])
    a, b = ("a", 1, "EUR", None, None), ("b", None, None, True, "x_1")
    fact = st.tuples(
        _DAY, st.sampled_from(["x_1", "x_1", "x_1", "x_2"]), st.sampled_from(["crm", "crm", "crm", "crm", "files"]), seldom,
        st.sampled_from([None, None, 1, 1]), seldom, st.sampled_from([0, 0, 0, 0, 0, None]),
        st.sampled_from([a, a, b, b, (None, None, "EUR", None, "x_2"), ("a", None, None, None, None)]),
    )  # fmt: skip
    return draw(st.lists(fact, min_size=min(3, most), max_size=most, unique=True))


def _values(fact: tuple[object, ...], table: Table) -> str:
    known, own_id, source, mention, changed, deleted, when, own = fact
    row_hash = json.dumps([own, when])

    def moment(day: object) -> str:
        return "null" if day is None else f"timestamptz '{at(FIRST + dt.timedelta(days=int(str(day))))}'"

    name, amount, currency, is_partner, owner = (_literal(cell) for cell in own)  # type: ignore[attr-defined]
    day = "null" if when is None else f"date '{FIRST + dt.timedelta(days=int(str(when)))}'"
    return (
        f"('{own_id}', {day}, null, {moment(known)}, 'source', {moment(changed)}, '{source}', '{table.name}', '{own_id}', "
        f"'{row_hash}', 'load', 'landing', 2, {deleted}, {mention}, {name}, {amount}, {currency}, {is_partner}, {owner})"
    )


def _literal(cell: object) -> str:
    return "null" if cell is None else f"'{cell}'" if isinstance(cell, str) else str(cell)


@dataclass
class Arrivals:
    """Batches of facts arriving at a lake as take-in writes them: unchanged rows are not written, and what arrived is
    compared anew once a batch has changed what stood before it; until nothing is added, where a batch speaks of several
    moments."""

    lake: Lake
    seen: list[list[tuple[object, ...]]] = field(default_factory=list)
    again: int = 0
    """How often all was compared anew."""

    def arrive(self, batch: list[tuple[object, ...]]) -> None:
        if not self._write(batch, "compare", "follows and not unchanged"):
            self.seen.append(batch)
            return
        others = [*self.seen]
        self.seen.append(batch)
        several = [each for each in self.seen if len({fact[0] for fact in each}) > 1]
        asked = self.seen if others and batch in several else others
        compare, more = "compare", True
        while more:
            self.again += 1
            written = [self._write(each, compare, "not unchanged") for each in asked]
            compare, more = "compare_alone", any(written) and bool(several)

    def _write(self, batch: list[tuple[object, ...]], compare: str, counted: str) -> bool:
        """Whether of the batch anything is written that counts."""
        engine = self.lake.engine
        rows = ", ".join(_values(fact, self.lake.table) for fact in batch)
        engine.do("delete from arriving_rows")
        engine.do("delete from compared")
        engine.do(f"insert into arriving_rows select row_number() over (), * from (values {rows})")
        engine.do(f"execute {compare}")
        engine.do("execute keep")
        ((found,),) = engine.connection.execute(f"select count(*) from compared where {counted}").fetchall()
        return bool(found)


def _emptied(lake: Lake) -> Arrivals:
    lake.engine.do("delete from versions")
    return Arrivals(lake)


def _everything(lake: Lake, rows: Sequence[tuple[object, ...]]) -> None:
    lake.engine.do("delete from versions")
    if rows:
        lake.engine.do(f"insert into versions values {', '.join(_values(fact, lake.table) for fact in rows)}")


def _views(lake: Lake, days: Sequence[dt.date] = DAYS, statement: str = "day") -> list[list[tuple[object, ...]]]:
    found = []
    for day in days:
        said = f"as_of := date '{day}', cut := timestamptz '{start_of_next_day(day, lake.zone)}', home_zone := '{lake.zone}'"
        found.append(lake.engine.connection.execute(f"execute {statement}({said})").fetchall())
    return found


def _quick(table: Table, redirects: Mapping[str, str]) -> Lake:
    """A lake whose statements are planned once: on a handful of rows planning takes longer than running."""
    engine = Engine(threads=1)
    lake = Lake(engine, table, ("crm", "files"), redirects)
    engine.do("create table arriving_rows as select cast(1 as bigint) as staged_row, * from versions")
    engine.do("create table compared (staged_row bigint, unchanged boolean, follows boolean)")
    for name, alone in (("compare", False), ("compare_alone", True)):
        unchanged_ = fold.unchanged_sql(table, "arriving_rows", "versions", alone)
        engine.do(f"prepare {name} as insert into compared select staged_row, unchanged, follows from ({unchanged_})")
    names = ", ".join(c.name for c in (*ENVELOPE, *table.columns))
    engine.do(
        f"prepare keep as insert into versions select {names} from arriving_rows join compared using (staged_row) "
        "where not unchanged"
    )
    columns = ", ".join([table.identity or "own_id", *BUSINESS])
    engine.do(f"prepare day as select {columns} from ({fold.current_sql(table, 'versions')}) order by all")
    return lake


@pytest.fixture(scope="module")
def things() -> Iterator[Lake]:
    lake = _quick(THINGS, {"x_2": "x_3"})
    yield lake
    lake.engine.close()


@pytest.fixture(scope="module")
def notes() -> Iterator[Lake]:
    lake = _quick(NOTES, {"x_1": "x_3"})
    yield lake
    lake.engine.close()


def _permuted(data: st.DataObject, rows: list[tuple[object, ...]]) -> list[list[tuple[object, ...]]]:
    """The facts in any order, some twice, cut into any batches of at most five."""
    order = data.draw(st.permutations(rows)) + data.draw(st.lists(st.sampled_from(rows), max_size=3))
    cuts = sorted(data.draw(st.sets(st.integers(1, max(len(order) - 1, 1)), max_size=4)))
    batches = [order[start:end] for start, end in pairwise([0, *cuts, len(order)])]
    return [batch for batch in batches if batch]


@given(rows=facts(), data=st.data())
@settings(max_examples=200, deadline=None)
def test_any_order_duplication_and_batching_gives_the_same_view_on_every_day(
    things: Lake, rows: list[tuple[object, ...]], data: st.DataObject
) -> None:
    _everything(things, rows)
    expected = _views(things)
    arrivals = _emptied(things)
    for batch in _permuted(data, rows):
        arrivals.arrive(batch)
    assert _views(things) == expected


def _said(day: int, name: str, source: str = "crm") -> tuple[object, ...]:
    own = {"a": ("a", 1, "EUR", None, None), "b": ("b", None, None, True, "x_1")}[name]
    return (day, "x_1", source, False, None, False, 0, own)


def _told(days: Sequence[int], said: str, source: str = "crm") -> list[tuple[object, ...]]:
    return [_said(day, name, source) for day in days for name in said]


@pytest.mark.parametrize(
    "batches",
    [
        [_told([0, 2], "a"), _told([1, 3], "b")],
        [[_said(0, "a"), _said(2, "a")], [*_told([0, 1, 2], "b"), *_told([0], "a", "files"), *_told([1, 3], "a")]],
        [_told([0, 3], "a"), [_said(1, "b")], [_said(2, "b")]],
        [_told([1, 3], "b"), [_said(2, "a")], [_said(0, "a")]],
        [[_said(0, "a")], [_said(1, "b"), _said(2, "a"), _said(3, "b")], _told([0, 2], "b"), _told([1, 3], "a")],
    ],
)
def test_batches_whose_moments_lie_between_each_other_s_give_the_view_of_all(
    things: Lake, batches: list[list[tuple[object, ...]]]
) -> None:
    """A row that was unchanged beside one of its own batch is a change again once another batch parts the two."""
    for ordered in permutations(batches):
        _everything(things, [fact for batch in ordered for fact in batch])
        expected = _views(things)
        arrivals = _emptied(things)
        for batch in ordered:
            arrivals.arrive(batch)
        assert _views(things) == expected


def test_batches_that_take_turns_often_are_compared_a_few_times(things: Lake) -> None:
    arrivals = _emptied(things)
    for first, name in ((0, "a"), (1, "b")):
        arrivals.arrive(_told(range(first, 60, 2), name))
    assert things.engine.one("select count(*) from versions") == 60
    assert arrivals.again <= 3


@pytest.mark.parametrize("alone", [False, True])
def test_a_row_that_is_written_is_unchanged_ever_after(deals: Lake, alone: bool) -> None:
    """Also where another says the same, and of the same moment that it changed: else all would be compared for ever."""
    _stored(deals, {"row_hash": "A"}, {"row_hash": "A", "changed_at": at(JAN)})
    row = {"own_id": "d_1", "known_at": at(JAN), "row_hash": "A"}
    assert unchanged(deals, [row, row | {"changed_at": at(JAN)}], alone) == [True, True]
    assert unchanged(deals, [row | {"changed_at": at(JAN)}, row], alone) == [True, True]


def test_held_beside_what_is_written_alone_a_row_is_unchanged_only_by_it_or_by_its_equal(deals: Lake) -> None:
    _stored(deals, {"row_hash": "A"})
    said = [(FEB, "A"), (MAR, "B"), (MAR, "B"), (APR, "B"), (LATE, "A")]
    rows = [{"own_id": "d_1", "known_at": at(day), "row_hash": text} for day, text in said]
    assert unchanged(deals, rows) == [True, False, True, True, False]
    assert unchanged(deals, rows, alone=True) == [True, False, True, False, False]


def test_a_row_and_its_deletion_of_the_same_moment_give_one_view_in_either_order(things: Lake) -> None:
    here = (0, "x_1", "crm", False, None, False, 0, ("a", 1, "EUR", None, None))
    gone = (*here[:5], True, *here[6:])
    found = []
    for batches in ([[here], [gone]], [[gone], [here]], [[here, gone]], [[gone, here]]):
        arrivals = _emptied(things)
        for batch in batches:
            arrivals.arrive(batch)
        found.append(_views(things))
    assert found[0] == found[1] == found[2] == found[3]


@given(rows=facts(), data=st.data())
@settings(max_examples=50, deadline=None)
def test_rows_without_an_identity_do_not_depend_on_order_either(
    notes: Lake, rows: list[tuple[object, ...]], data: st.DataObject
) -> None:
    _everything(notes, rows)
    expected = _views(notes)
    arrivals = _emptied(notes)
    for batch in _permuted(data, rows):
        arrivals.arrive(batch)
    assert _views(notes) == expected


@given(rows=facts(), day=st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_deleting_or_changing_everything_known_later_changes_nothing_on_the_day(
    things: Lake, rows: list[tuple[object, ...]], day: int
) -> None:
    as_of = FIRST + dt.timedelta(days=day)
    _everything(things, rows)
    then = _views(things, [as_of])
    _everything(things, [fact for fact in rows if int(str(fact[0])) <= day])
    assert _views(things, [as_of]) == then
    later = [(fact[0], *fact[1:5], not fact[5], *fact[6:]) for fact in rows if int(str(fact[0])) > day]
    _everything(things, [fact for fact in rows if int(str(fact[0])) <= day] + later)
    assert _views(things, [as_of]) == then


@pytest.fixture(scope="module")
def spared() -> Iterator[Lake]:
    """A lake in which every id gives way to itself, so that every key is folded in full; and folds that are spared it."""
    lake = _quick(THINGS, {"x_1": "x_1", "x_2": "x_2"})
    columns = ", ".join([THINGS.identity, *BUSINESS])
    for name, known in SPARED.items():
        lake.engine.do(
            f"prepare {name} as select {columns} from ({fold.current_sql(THINGS, 'versions', known)}) order by all"
        )
    yield lake
    lake.engine.close()


SPARED = {
    "unmerged": fold.Known(merged=frozenset()),
    "dated": fold.Known(merged=frozenset(), dated=True),
    "once": fold.Known(once=True, merged=frozenset()),
    "once_merged": fold.Known(once=True, merged=frozenset({"things"})),
    "uncontested": fold.Known(merged=frozenset(), contested=False),
}
CONTESTED = f"""
select own_id from versions group by own_id
having min(source) <> max(source) or min(mention) <> max(mention) or count(*) > count(distinct {fold.STAMP})"""


@given(rows=st.one_of(facts(), facts(2)))
@settings(max_examples=200, deadline=None)
def test_what_is_known_of_the_versions_spares_work_and_changes_no_row(
    spared: Lake, rows: list[tuple[object, ...]]
) -> None:
    _everything(spared, rows)
    holds = {"unmerged"}
    holds |= {"dated"} if all(fact[6] is not None for fact in rows) else set()
    holds |= {"once", "once_merged"} if len({fact[1] for fact in rows}) == len(rows) else set()
    holds |= {"uncontested"} if not spared.engine.ask(CONTESTED) else set()
    expected = _views(spared)
    for name in sorted(holds):
        assert _views(spared, statement=name) == expected, name
