"""Ways of measuring that a vendor's own signals may use, each with literal rows and the value by hand."""

import datetime as dt
from collections.abc import Iterator
from fractions import Fraction

import pytest

from groundswell.core import catalog
from groundswell.core.assess import assess, signal_halves
from groundswell.core.declare import Policy, Value
from groundswell.core.signals.compile import rows_query
from groundswell.engine.duckdb import Engine
from groundswell.policy import read
from tests.core import day
from tests.core.day import Rows

F = Fraction

D = dt.date
AS_OF = D(2026, 6, 30)
OLD = D(2020, 1, 1)
SHIPPED = read.texts()
HEAD = """question = "?"
better = "higher"
kind = "lagging"
misleads = "A test."
why = "A test."
source = "a test"
since = 2026-01-01
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = day.engine()
    yield made
    made.close()


def policy_of(measure: str, head: str = 'unit = "things"') -> Policy:
    """The shipped policy with one more signal, `mine`. Its `needs` are left out: what it uses is not the point here."""
    policy, faults = catalog.check({**SHIPPED, "own/signals/market/mine.toml": f"{head}\n{HEAD}[measure]\n{measure}\n"})
    assert [fault for fault in faults if " needs: leaves out" not in fault] == []
    return policy


def refused(measure: str) -> bool:
    """Whether the check refuses the measure, for more than its `needs`."""
    texts = {**SHIPPED, "own/signals/market/mine.toml": f'unit = "things"\n{HEAD}[measure]\n{measure}\n'}
    return any(" needs: leaves out" not in fault for fault in catalog.check(texts)[1])


def measured(
    engine: Engine, measure: str, head: str = 'unit = "things"', as_of: dt.date = AS_OF, **tables: Rows
) -> dict[str, Value]:
    """The value of the measure for partners a to e."""
    day.lay(engine, "abcde", tables)
    return {one.partner_id: one.values["mine"] for one in assess(policy_of(measure, head), as_of, engine.ask).partners}


def deal(partner: str, amount: float | str = "", **cells: object) -> dict[str, object]:
    base: dict[str, object] = {"partner_id": partner, "amount_home": amount, "occurred_on": OLD, "stage_class": "won"}
    return base | {"sourced": True} | cells


def known(number: float | str) -> tuple[str, object, object]:
    return "known", F(str(number)), F(str(number))


def shown(values: dict[str, Value], names: str) -> list[tuple[str, object, object]]:
    return [day.said(values[name]) for name in names]


UNKNOWN = ("unknown", None, None)
NOT_APPLICABLE = ("not applicable", None, None)


# ----------------------------------------------------------------------------------------------------------- takes


def test_an_average_is_exact_and_known_only_where_every_row_says_something(engine: Engine) -> None:
    deals = [deal("a", 1), deal("a", 1), deal("a", 2), deal("b", 5), deal("b", "")]
    found = measured(engine, 'from = "deals"\ntake = "average"\nof = "amount_home"', deals=deals)
    assert shown(found, "abc") == [known("4/3"), UNKNOWN, UNKNOWN]


@pytest.mark.parametrize("take", ["average", "median", "lowest", "highest"])
def test_rows_that_are_there_but_empty_are_unknown_and_not_nothing(engine: Engine, take: str) -> None:
    measure = f'from = "deals"\ntake = "{take}"\nof = "amount_home"'
    assert shown(measured(engine, measure, deals=[deal("a", ""), deal("b", 1)]), "a") == [UNKNOWN]


@pytest.mark.parametrize(("take", "value"), [("lowest", -3), ("highest", 20)])
def test_an_extreme_is_known_only_where_every_row_says_something(engine: Engine, take: str, value: int) -> None:
    deals = [deal("a", 20), deal("a", -3), deal("a", 7), deal("b", 20), deal("b", "")]
    found = measured(engine, f'from = "deals"\ntake = "{take}"\nof = "amount_home"', deals=deals)
    assert shown(found, "abc") == [known(value), UNKNOWN, UNKNOWN]


def test_an_extreme_may_be_a_day_or_a_word(engine: Engine) -> None:
    deals = [
        deal("a", 1, close_on=D(2026, 1, 31), product="basic"),
        deal("a", 1, close_on=D(2026, 2, 1), product="plus"),
    ]
    days = measured(engine, 'from = "deals"\ntake = "highest"\nof = "close_on"', 'unit = "date"', deals=deals)
    words = measured(engine, 'from = "deals"\ntake = "lowest"\nof = "product"', 'unit = "word"', deals=deals)
    assert (days["a"].low, words["a"].low) == (D(2026, 2, 1), "basic")


def test_the_latest_is_of_the_last_day_then_the_later_known_then_the_greater_hash(engine: Engine) -> None:
    def reading(value: int, on: dt.date, known_on: int = 1, row_hash: str = "m") -> dict[str, object]:
        known_at = dt.datetime(2026, 6, known_on, tzinfo=dt.UTC)
        return {"value": value, "occurred_on": on, "known_at": known_at, "row_hash": row_hash, "kind": "csat"}

    rows = [
        {"partner_id": "a"} | reading(1, D(2026, 5, 1), 9),
        {"partner_id": "a"} | reading(2, D(2026, 5, 2), 1),
        {"partner_id": "b"} | reading(3, D(2026, 5, 2), 2, "a"),
        {"partner_id": "b"} | reading(4, D(2026, 5, 2), 1, "z"),
        {"partner_id": "c"} | reading(5, D(2026, 5, 2), 1, "z"),
        {"partner_id": "c"} | reading(6, D(2026, 5, 2), 1, "a"),
    ]
    found = measured(engine, 'from = "readings"\ntake = "latest"\nof = "value"', readings=rows)
    assert shown(found, "abcd") == [known(2), known(3), known(5), UNKNOWN]


def test_any_is_yes_no_or_undecided(engine: Engine) -> None:
    deals = [deal("a", 5), deal("b", -5), deal("c", ""), deal("d", ""), deal("d", 5)]
    measure = 'from = "deals"\ntake = "any"\nwhere = "amount_home > 0"'
    found = measured(engine, measure, 'unit = "yes/no"\nabsent = 0', deals=deals)
    assert [(found[name].low, found[name].high) for name in "abcd"] == [
        (True, True),
        (False, False),
        (False, True),
        (True, True),
    ]


@pytest.mark.parametrize(("period", "count"), [("day", 4), ("week", 3), ("month", 3), ("quarter", 2), ("year", 2)])
def test_periods_are_those_of_the_calendar(engine: Engine, period: str, count: int) -> None:
    days = [D(2025, 12, 31), D(2026, 1, 1), D(2026, 1, 1), D(2026, 2, 1), D(2026, 2, 2)]
    rows = [{"partner_id": "a", "type": "call", "occurred_on": on} for on in days]
    found = measured(engine, f'from = "activities"\ntake = "count distinct"\nof = "{period}"', activities=rows)
    assert found["a"].low == count


def test_a_period_is_of_the_day_that_the_window_looks_at(engine: Engine) -> None:
    deals = [
        deal("a", 1, closed_on=D(2026, 1, 5)),
        deal("a", 1, closed_on=D(2026, 1, 9)),
        deal("a", 1, closed_on=D(2026, 3, 1)),
    ]
    measure = 'from = "deals"\non = "closed_on"\ntake = "count distinct"\nof = "month"'
    assert shown(measured(engine, measure, deals=deals), "a") == [known(2)]


def test_rows_whose_condition_is_unknown_widen_a_count_by_as_many(engine: Engine) -> None:
    people = [{"partner_id": "a", "is_manager": flag, "occurred_on": OLD} for flag in (True, True, "", False)]
    found = measured(
        engine, 'from = "people"\ntake = "count"\nwhere = "is_manager"', 'unit = "people"\nabsent = 0', people=people
    )
    assert shown(found, "ab") == [("between", F(2), F(3)), known(0)]
    assert "1 rows are unclear" in found["a"].why


# ---------------------------------------------------------------------------------------------------------- halves


def test_a_difference_is_of_the_same_window_earlier(engine: Engine) -> None:
    now, then = {"occurred_on": D(2026, 6, 1)}, {"occurred_on": D(2025, 6, 1)}
    rows = [
        deal("a", 9, **now),
        deal("a", 4, **then),
        deal("b", 4, **then),
        deal("c", "", **then),
        deal("c", 5, **now),
        deal("e", 1),
    ]
    measure = (
        'from = "deals"\nwindow = "3 months"\ntake = "sum"\nof = "amount_home"\n[measure.minus]\nshift = "12 months"'
    )
    found = measured(engine, measure, 'unit = "home currency"\nabsent = 0', deals=rows)
    assert shown(found, "abd") == [known(5), known(-4), known(0)]
    assert (found["c"].low, found["c"].high) == (None, 5)


def test_a_share_may_divide_by_another_table(engine: Engine) -> None:
    people = [{"partner_id": "a", "occurred_on": OLD, "person_id": f"p{n}"} for n in range(4)]
    credentials = [{"partner_id": "a", "person_id": "p1", "live": True, "issued_on": OLD, "occurred_on": OLD},
                   {"partner_id": "b", "person_id": "p9", "live": True, "issued_on": OLD, "occurred_on": OLD}]  # fmt: skip
    measure = (
        'from = "credentials"\nwhere = "live"\non = "issued_on"\ntake = "count distinct"\nof = "person_id"\n'
        '[measure.over]\nfrom = "people"\nwhere = "true"\non = "occurred_on"'
    )
    found = measured(engine, measure, 'unit = "percent"\nabsent = 0', people=people, credentials=credentials)
    assert shown(found, "abc") == [known(25), NOT_APPLICABLE, NOT_APPLICABLE]


def test_a_quotient_that_is_no_percentage_is_not_times_a_hundred(engine: Engine) -> None:
    rows = [deal("a", 9, type="new"), deal("a", 3, type="renewal"), deal("b", 9, type="new")]
    measure = (
        'from = "deals"\nwhere = "type = \'new\'"\ntake = "sum"\nof = "amount_home"\n[measure.over]\n'
        "where = \"type = 'renewal'\""
    )
    assert shown(measured(engine, measure, 'unit = "times"\nabsent = 0', deals=rows), "ab") == [
        known(3),
        NOT_APPLICABLE,
    ]


def test_one_missing_half_makes_the_whole_unavailable(engine: Engine) -> None:
    measure = 'from = "deals"\ntake = "count"\n[measure.over]\nfrom = "people"\ntake = "count"'
    found = measured(engine, measure, 'unit = "percent"', deals=[deal("a", 1)])
    assert found["a"] == Value.unavailable("no source brings people")


def test_a_shift_moves_what_as_of_means_in_the_condition(engine: Engine) -> None:
    rows = [
        deal("a", 1, close_on=D(2025, 6, 29)),
        deal("a", 1, close_on=D(2026, 6, 29)),
        deal("b", 1, close_on=D(2025, 6, 30)),
    ]
    measure = 'from = "deals"\nwhere = "close_on < as_of"\nshift = "1 year"\ntake = "count"'
    assert shown(measured(engine, measure, 'unit = "deals"\nabsent = 0', deals=rows), "ab") == [known(1), known(0)]


def test_a_shift_moves_what_live_means_or_is_refused(engine: Engine) -> None:
    measure = 'from = "credentials"\nwhere = "live"\non = "issued_on"\nshift = "1 year"\ntake = "count"'
    if refused(measure):
        return
    ended = {"partner_id": "a", "person_id": "p1", "issued_on": OLD, "occurred_on": OLD, "expires_on": D(2026, 1, 31)}
    rows = [ended | {"live": False, "status": "active"}]  # not live on 30 June 2026, live a year before
    assert shown(measured(engine, measure, 'unit = "credentials"\nabsent = 0', credentials=rows), "a") == [known(1)]


def test_the_range_of_a_growth_holds_what_it_would_be_if_everything_were_known(engine: Engine) -> None:
    rows = [deal("z", 1), deal("a", -10, closed_on=D(2026, 6, 1)), deal("a", 5, closed_on=D(2025, 6, 1))]
    measure = (
        'from = "deals"\non = "closed_on"\nwindow = "12 months"\ntake = "sum"\nof = "amount_home"\n'
        '[measure.grown_from]\nshift = "12 months"'
    )
    rows[0]["closed_on"] = OLD
    head = 'unit = "percent"\nabsent = 0'
    unsaid = measured(engine, measure, head, deals=[*rows, deal("a", "", closed_on=D(2025, 6, 1))])["a"]
    told = measured(engine, measure, head, deals=[*rows, deal("a", 5, closed_on=D(2025, 6, 1))])["a"]
    assert day.said(told) == known(-200)
    assert unsaid.low is None or unsaid.low <= F(-200)  # type: ignore[operator]
    assert unsaid.high is None or unsaid.high >= F(-200)  # type: ignore[operator]


# -------------------------------------------------------------------------------------------------- first one, then

PEAKS = (
    'from = "readings"\nwhere = "kind = \'revenue\'"\non = "period_to"\nwindow = "complete 2 months"\nper = "account_id"\n'
    'each.peak = { take = "highest", of = "value" }\nkeep = "peak >= 1000"\n'
)


def reading(partner: str, account: str, value: float, until: dt.date) -> dict[str, object]:
    return {
        "partner_id": partner,
        "account_id": account,
        "value": value,
        "kind": "revenue",
        "period_to": until,
        "occurred_on": until,
    }


READINGS = [
    reading("z", "o9", 1, D(2024, 1, 31)),
    reading("a", "o1", 1000, D(2026, 5, 31)),
    reading("a", "o1", 200, D(2026, 6, 30)),
    reading("a", "o2", 999, D(2026, 6, 30)),
    reading("a", "o3", 5000, D(2026, 6, 30)),
    reading("a", "o4", 5000, D(2026, 4, 30)),
    reading("b", "o1", 999, D(2026, 6, 30)),
    reading("c", "o1", 999, D(2026, 6, 30)),
    reading("c", "o1", 1, D(2026, 6, 30)),
    reading("c", "o2", 1000, D(2026, 6, 30)),
]


def test_first_one_row_a_thing_then_some_are_kept_then_counted(engine: Engine) -> None:
    found = measured(engine, PEAKS + 'take = "count"', 'unit = "customers"\nabsent = 0', readings=READINGS)
    assert shown(found, "acd") == [known(2), known(1), known(0)]


def test_where_no_thing_is_kept_the_count_is_zero_and_not_the_number_of_rows(engine: Engine) -> None:
    found = measured(engine, PEAKS + 'take = "count"', 'unit = "customers"\nabsent = 0', readings=READINGS)
    assert shown(found, "b") == [known(0)]


@pytest.mark.parametrize(
    ("take", "value"), [("sum", 6000), ("highest", 5000), ("lowest", 1000), ("average", 3000), ("median", 3000)]
)
def test_what_each_thing_gave_is_folded(engine: Engine, take: str, value: int) -> None:
    measure = PEAKS + f'take = "{take}"\nof = "peak"'
    found = measured(engine, measure, 'unit = "home currency"', readings=READINGS)
    assert shown(found, "a") == [known(value)]


@pytest.mark.parametrize(
    ("take", "of", "exact"),
    [("sum", "value", 120), ("lowest", "value", 10), ("highest", "value", 90), ("count", "", 3), ("count distinct", "value", 3),
     ("average", "value", 40), ("median", "value", 20)],
)  # fmt: skip
def test_each_thing_is_folded_as_it_says_or_the_measure_is_refused(
    engine: Engine, take: str, of: str, exact: int
) -> None:
    rows = [reading("a", "o1", value, D(2026, 6, 30)) for value in (10, 20, 90)]
    rows += [reading("b", "o1", value, D(2026, 6, 30)) for value in (1, 2)]
    said = f', of = "{of}"' if of else ""
    measure = f'from = "readings"\nper = "account_id"\neach.it = {{ take = "{take}"{said} }}\ntake = "sum"\nof = "it"'
    if refused(measure):
        assert take in ("average", "median")
        return
    assert shown(measured(engine, measure, readings=rows), "a") == [known(exact)]


def test_the_difference_of_two_grouped_counts(engine: Engine) -> None:
    rows = [*READINGS, reading("a", "o5", 2000, D(2025, 6, 30)), reading("b", "o5", 2000, D(2025, 6, 30))]
    measure = PEAKS + 'take = "count"\n[measure.minus]\nshift = "12 months"'
    found = measured(engine, measure, 'unit = "customers"\nabsent = 0', readings=rows)
    assert shown(found, "a") == [known(1)]
    assert shown(found, "b") == [known(-1)]


def test_a_column_of_each_may_look_at_some_rows_of_the_thing_only(engine: Engine) -> None:
    def ended(partner: str, account: str, status: str, on: dt.date | str) -> dict[str, object]:
        base = {"partner_id": partner, "account_id": account, "status": status, "ended_on": on}
        return base | {"sourced": True, "occurred_on": OLD}

    rows = [
        ended("a", "o1", "ended", D(2026, 1, 1)),
        ended("a", "o2", "ended", D(2026, 1, 1)),
        ended("a", "o2", "active", ""),
        ended("b", "o3", "ended", D(2026, 1, 1)),
        ended("b", "o3", "suspended", D(2026, 6, 1)),
    ]
    measure = (
        'from = "subscriptions"\nper = "account_id"\nkeep = "running = 0"\ntake = "count"\n'
        'each.running = { take = "count", where = "status <> \'ended\'" }'
    )
    found = measured(engine, measure, 'unit = "customers"\nabsent = 0', subscriptions=rows)
    assert shown(found, "abc") == [known(1), known(0), known(0)]
    measure = (
        'from = "subscriptions"\nper = "account_id"\ntake = "highest"\nof = "last"\n'
        'each.last = { take = "highest", of = "ended_on", where = "status = \'ended\'" }'
    )
    days = measured(engine, measure, 'unit = "date"', subscriptions=rows)
    assert (days["b"].low, days["c"].state) == (D(2026, 1, 1), "unknown")


# --------------------------------------------------------------------------------------------------------- follows


def happening(partner: str, kind: str, on: dt.date, person: str = "p1") -> dict[str, object]:
    return {"partner_id": partner, "type": kind, "occurred_on": on, "person_id": person}


FOLLOWED = (
    'from = "activities"\nwhere = "type = \'course\'"\ntake = "count"\n'
    'followed_by = { where = "type = \'demo\'", same = "person_id", within = 10 }\n'
)


def test_a_row_counts_where_another_of_the_same_person_comes_soon_enough_after_it(engine: Engine) -> None:
    rows = [
        happening("a", "course", D(2026, 6, 1)),
        happening("a", "demo", D(2026, 6, 11)),
        happening("b", "course", D(2026, 6, 1)),
        happening("b", "demo", D(2026, 6, 12)),
        happening("c", "demo", D(2026, 5, 31)),
        happening("c", "course", D(2026, 6, 1)),
        happening("c", "demo", D(2026, 6, 2), "p2"),
        happening("d", "course", D(2026, 6, 1)),
        happening("d", "course", D(2026, 6, 2)),
        happening("d", "demo", D(2026, 6, 2)),
        happening("e", "course", D(2026, 6, 1), ""),
        happening("e", "demo", D(2026, 6, 1), ""),
    ]
    found = measured(engine, FOLLOWED, 'unit = "courses"\nabsent = 0', activities=rows)
    assert shown(found, "abcde") == [known(1), known(0), known(0), known(2), ("between", F(0), F(1))]


def test_what_follows_after_the_window_is_not_seen(engine: Engine) -> None:
    rows = [happening("z", "course", OLD), happening("z", "demo", OLD), happening("a", "course", D(2026, 3, 29))]
    rows.append(happening("a", "demo", D(2026, 4, 2)))
    for shift, count in (("", 0), ('shift = "3 months"\n', 0), ('shift = "2 months"\n', 1)):
        text = FOLLOWED.replace("take", f'window = "3 months"\n{shift}take', 1)
        assert shown(measured(engine, text, 'unit = "courses"\nabsent = 0', activities=rows), "a") == [known(count)]


def test_where_nothing_of_what_must_follow_is_recorded_the_signal_is_unavailable(engine: Engine) -> None:
    found = measured(engine, FOLLOWED, 'unit = "courses"\nabsent = 0', activities=[happening("a", "course", OLD)])
    assert found["a"] == Value.unavailable("no source brings activities of type demo")


def test_the_rows_behind_a_figure_of_what_was_followed_are_those_that_something_follows(engine: Engine) -> None:
    policy = policy_of(FOLLOWED)
    rows = [happening("a", "course", D(2026, 6, 1)), happening("a", "course", D(2026, 6, 9), "p2")]
    day.lay(engine, "a", {"activities": [*rows, happening("a", "demo", D(2026, 6, 2))]})
    query = rows_query(signal_halves(policy, "mine", AS_OF, engine.ask)[0], "a", policy.lists, 9)
    assert [row["line"] for row in engine.ask(query.sql, query.parameters)] == [2]


def test_a_kind_of_reading_that_no_source_brings_is_unavailable_and_not_unknown(engine: Engine) -> None:
    rows = [{"partner_id": "a", "kind": "nps", "value": 9, "occurred_on": OLD}]
    measure = 'from = "readings"\nwhere = "kind = \'csat\'"\ntake = "latest"\nof = "value"'
    assert measured(engine, measure, readings=rows)["a"] == Value.unavailable("no source brings readings of kind csat")
    rows.append({"partner_id": "b", "kind": "csat", "value": 80, "occurred_on": OLD})
    assert shown(measured(engine, measure, readings=rows), "ab") == [UNKNOWN, known(80)]


# --------------------------------------------------------------------------------------------------------- windows


def test_a_fiscal_year_is_that_of_the_instance(engine: Engine) -> None:
    rows = [deal("a", 1, occurred_on=D(2026, 1, 31)), deal("b", 1, occurred_on=D(2026, 2, 1)), deal("c", 1)]
    texts = {
        **SHIPPED,
        "own/instance.toml": 'follows = "default"\nfiscal_first_month = 2\n',
        "own/signals/market/mine.toml": f'unit = "deals"\nabsent = 0\nneeds = ["deals.occurred_on", "touches.partner_id"]\n{HEAD}'
        '[measure]\nfrom = "deals"\nwindow = "fiscal year"\ntake = "count"\n',
    }
    day.lay(engine, "abc", {"deals": rows})
    found = {
        one.partner_id: one.values["mine"].low for one in assess(catalog.policy(texts), AS_OF, engine.ask).partners
    }
    assert found == {"a": 0, "b": 1, "c": 0}


@pytest.mark.parametrize("as_of", [D(2026, 2, 28), D(2024, 2, 29), D(2026, 5, 31), D(2026, 6, 15)])
def test_two_windows_beside_each_other_share_no_row_and_leave_none_out(engine: Engine, as_of: dt.date) -> None:
    rows = [deal("a", 1, occurred_on=as_of - dt.timedelta(days=n)) for n in range(0, 500, 3)] + [deal("z", 1)]
    rows += [deal("a", 1, occurred_on=as_of - dt.timedelta(days=n)) for n in (*range(176, 188), *range(358, 370))]
    measure = 'from = "deals"\nwindow = "6 months"\ntake = "count"'
    head = 'unit = "deals"\nabsent = 0'
    recent = measured(engine, measure, head, as_of, deals=rows)["a"].low
    before, both = (
        next(one for one in assess(policy_of(text, head), as_of, engine.ask).partners if one.partner_id == "a")
        .values["mine"]
        .low
        for text in (measure + '\nshift = "6 months"', measure.replace("6", "12"))
    )
    assert isinstance(recent, F)
    assert isinstance(before, F)
    assert min(recent, before) > 50
    assert recent + before == both


# -------------------------------------------------------------------------------------------------------- evidence


def test_the_rows_behind_a_figure_are_those_that_count_newest_first(engine: Engine) -> None:
    policy = catalog.policy(SHIPPED)
    rows = [
        deal("a", 1, deal_id="old", closed_on=D(2025, 8, 1)),
        deal("a", 1, deal_id="new", closed_on=D(2026, 6, 1)),
        deal("a", 1, deal_id="out", closed_on=D(2025, 6, 30)),
        deal("a", 1, deal_id="lost", closed_on=D(2026, 6, 1), stage_class="lost"),
        deal("b", 1, deal_id="other", closed_on=D(2026, 6, 1)),
    ]
    day.lay(engine, "ab", {"deals": rows})
    half = signal_halves(policy, "won_revenue", AS_OF, engine.ask)[0]
    query = rows_query(half, "a", policy.lists, 50)
    found = engine.ask(query.sql, query.parameters)
    assert [(row["row_id"], row["day"], row["line"]) for row in found] == [
        ("new", D(2026, 6, 1), 3),
        ("old", D(2025, 8, 1), 2),
    ]
    query = rows_query(half, "a", policy.lists, 1)
    assert [row["row_id"] for row in engine.ask(query.sql, query.parameters)] == ["new"]
