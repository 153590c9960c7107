"""The AdventureWorks reseller channel through the shipped example mapping: every figure to the last digit, on every day."""

import datetime as dt
import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.river import EXAMPLES, assess, results, table, take_in
from tests.stories.instances import become, beside, differing, facts, instance, judged

from groundswell.core.dormancy import Quiet, dormancy
from groundswell.engine.home import Home
from groundswell.reads.partners import Ambiguous, partner

MAPPING = EXAMPLES / "adventureworks" / "mapping.toml"
LINES = "order_lines_to_2012.parquet"
END, YEAR_BEFORE = "2012-12-31", "2011-12-31"


@pytest.fixture(scope="module")
def lines(resellers: Path) -> list[dict[str, object]]:
    """The order lines as pyarrow reads them, for figures computed apart from the product."""
    columns = ["ResellerKey", "SalesOrderNumber", "SalesOrderLineNumber", "SalesAmount", "OrderDate", "ProductKey"]
    return pq.read_table(resellers / LINES, columns=columns).to_pylist()


@pytest.fixture(scope="module")
def taken_in(resellers: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("resellers") / "home"
    with instance(path) as home:
        for name, rows in (("resellers.csv", 701), (LINES, 32_315)):
            load = take_in(home, resellers / name, mapping=MAPPING)
            assert (load.rows_in, load.loaded, load.unchanged, load.quarantined) == (rows, rows, 0, 0)
            assert load.report["notes"] == []
    return path


@pytest.fixture
def channel(home: Home, taken_in: Path) -> Home:
    """An instance that has taken in both files."""
    return become(home, taken_in)


def by_then(lines: list[dict[str, object]], as_of: str) -> list[dict[str, object]]:
    last = dt.datetime.fromisoformat(as_of)
    return [line for line in lines if line["OrderDate"] <= last]


def total(rows: list[dict[str, str]]) -> Decimal:
    return sum((Decimal(row["amount_home"]) for row in rows), Decimal(0))


def test_orders_lines_and_sales_to_the_last_digit(channel: Home, lines: list[dict[str, object]]) -> None:
    deals = table(channel, "deals", END)
    assert len(deals) == len(lines) == 32_315
    assert len({row["group_key"] for row in deals}) == 2_088
    assert total(deals) == sum(line["SalesAmount"] for line in lines) == Decimal("46875762.8251")
    by_year: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in deals:
        by_year[row["closed_on"][:4]].append(row)
    assert {year: total(rows) for year, rows in by_year.items()} == {
        "2010": Decimal("489328.5787"), "2011": Decimal("18192802.7143"), "2012": Decimal("28193631.5321"),
    }  # fmt: skip
    assert {row["currency"] for row in deals} == {""}
    assert {row["home_basis"] for row in deals} == {"source"}
    by_id = {row["external_id"]: row["amount_home"] for row in deals}
    assert by_id == {
        f"{line['SalesOrderNumber']}#{line['SalesOrderLineNumber']}": str(line["SalesAmount"]) for line in lines
    }


def test_partners_with_and_without_orders(channel: Home, lines: list[dict[str, object]]) -> None:
    partners = {row["partner_id"]: row for row in table(channel, "partners", END)}
    assert len(partners) == 701
    touched = {row["partner_id"] for row in table(channel, "touches", END)}
    assert touched <= set(partners)
    assert (len(touched), len(set(partners) - touched)) == (463, 238)
    assert {partners[key]["external_id"] for key in touched} == {str(line["ResellerKey"]) for line in lines}
    # Types as enrolled.
    assert Counter(row["partner_type"] for row in partners.values()) == {
        "distributor": 232,
        "var": 238,
        "reseller": 231,
    }
    assert Counter(partners[key]["partner_type"] for key in touched) == {
        "distributor": 160,
        "var": 156,
        "reseller": 147,
    }
    assert {row["country"] for row in partners.values()} == {"AU", "CA", "DE", "FR", "GB", "US"}


@pytest.mark.parametrize("name", ["Friendly Bike Shop", "Sports Products Store"])
def test_a_name_that_two_resellers_bear_is_two_partners(channel: Home, name: str) -> None:
    bearers = [row for row in table(channel, "partners", END) if row["name"] == name]
    assert len({row["partner_id"] for row in bearers}) == 2
    assess(channel, END)
    with pytest.raises(Ambiguous) as said:
        partner(name)
    assert all(
        f"{row['partner_id']}  {name}  (adventureworks {row['external_id']})" in str(said.value) for row in bearers
    )
    assert {partner(row["external_id"]).partner_id for row in bearers} == {row["partner_id"] for row in bearers}


@pytest.mark.parametrize("as_of", [YEAR_BEFORE, END, "2012-06-30"])
def test_signals_of_every_partner_are_those_of_the_file(
    channel: Home, lines: list[dict[str, object]], as_of: str
) -> None:
    """Revenue, deals and days since the last of the 12 months to a month-end, per reseller, computed with pyarrow."""
    last = dt.date.fromisoformat(as_of)
    before = {YEAR_BEFORE: dt.date(2010, 12, 31), END: dt.date(2011, 12, 31), "2012-06-30": dt.date(2011, 6, 30)}[as_of]
    revenue: dict[str, Decimal] = defaultdict(Decimal)
    orders: dict[str, set[object]] = defaultdict(set)
    latest: dict[str, dt.date] = {}
    for line in by_then(lines, as_of):
        key, day = str(line["ResellerKey"]), line["OrderDate"].date()
        latest[key] = max(latest.get(key, day), day)
        if day > before:
            revenue[key] += line["SalesAmount"]
            orders[key].add(line["SalesOrderNumber"])
    found = results(channel, assess(channel, as_of))
    assert len(found) == 701
    for key, result in found.items():
        signals = result["signals"]
        assert Fraction(signals["won_revenue"]["low"]) == Fraction(revenue[key]), key
        assert signals["won_deals"]["low"] == str(len(orders[key])), key
        since = signals["days_since_last_won_deal"]
        if key in latest:
            assert since["low"] == str((last - latest[key]).days), key
        else:
            # Never seen: at least since the first order of anyone.
            assert (since["state"], since["low"]) == ("at least", str((last - dt.date(2010, 12, 29)).days)), key


def test_a_day_sees_only_what_was_known_then(
    channel: Home, home: Home, lines: list[dict[str, object]], resellers: Path
) -> None:
    known = by_then(lines, YEAR_BEFORE)
    deals = table(channel, "deals", YEAR_BEFORE)
    assert len(deals) == len(known)
    assert total(deals) == sum(line["SalesAmount"] for line in known) == Decimal("18682131.2930")
    assert len({row["group_key"] for row in deals}) == len({line["SalesOrderNumber"] for line in known})
    touched = {row["partner_id"] for row in table(channel, "touches", YEAR_BEFORE)}
    assert len(touched) == len({line["ResellerKey"] for line in known}) == 252
    assert table(channel, "partners", "2010-12-27") == []
    with_all = judged(channel, assess(channel, YEAR_BEFORE))
    with beside(home, "then") as then:
        rows = pq.read_table(resellers / LINES)
        part = home.path.parent / "order_lines_known.parquet"
        pq.write_table(
            rows.filter(pc.less_equal(rows.column("OrderDate"), dt.datetime.fromisoformat(YEAR_BEFORE))), part
        )
        take_in(then, resellers / "resellers.csv", mapping=MAPPING)
        assert take_in(then, part, mapping=MAPPING).loaded == len(known)
        assert judged(then, assess(then, YEAR_BEFORE)) == with_all


def test_shuffled_batches_give_the_same_tables_and_readiness(channel: Home, home: Home, resellers: Path) -> None:
    chance = random.Random(20121231)
    rows = pq.read_table(resellers / LINES)
    order = list(range(rows.num_rows))
    chance.shuffle(order)
    cuts = sorted(chance.sample(range(1, rows.num_rows), 6))
    parts = [order[a:b] for a, b in zip([0, *cuts], [*cuts, rows.num_rows], strict=True)]
    assert len(parts) == 7
    whole = {day: (facts(channel, day), judged(channel, assess(channel, day))) for day in (YEAR_BEFORE, END)}
    with beside(home, "batches") as other:
        names = []
        for number, part in enumerate(parts):
            path = home.path.parent / f"order_lines_{number}.parquet"
            pq.write_table(rows.take(part), path)
            names.append(path)
        names.append(resellers / "resellers.csv")
        chance.shuffle(names)
        loads = [take_in(other, path, mapping=MAPPING) for path in names]
        assert sum(load.loaded for load in loads) == 32_315 + 701
        assert {load.unchanged + load.quarantined for load in loads} == {0}
        for day, (tables, readiness) in whole.items():
            assert differing(facts(other, day), tables) == {}
            assert judged(other, assess(other, day)) == readiness


# ------------------------------------------------------------------------------------------------------- dormancy


def quiet(home: Home, as_of: str) -> dict[str, Quiet]:
    """What the silence of every reseller says as of a day, by its key."""
    last = dt.date.fromisoformat(as_of)
    with home.day(last) as engine:
        keys = {str(row["partner_id"]): str(row["external_id"]) for row in engine.ask("select * from partners")}
        policy = home.policy.dormancy
        assert policy is not None
        return {keys[one]: said for one, said in dormancy(policy, last, keys, (), engine.ask).items()}


def test_silence_at_the_end_is_that_of_the_file_and_the_never_ordered_stand_apart(channel: Home) -> None:
    found = quiet(channel, END)
    silent = [one.silent for one in found.values() if one.silent is not None]
    assert len(silent) == 463
    assert [sum(1 for days in silent if days > bound) for bound in (90, 180, 365)] == [134, 90, 62]
    never = [one for one in found.values() if one.silent is None]
    assert len(never) == 238
    assert {(one.state, one.pattern) for one in never} == {("never acted", "enrolled, never started")}


def test_quarterly_buyers_are_called_quiet_by_their_own_rhythm_and_not_by_ninety_days(
    channel: Home, lines: list[dict[str, object]]
) -> None:
    """Worked out from the file: silence beyond three times the median gap, where there are three gaps."""
    last, days = dt.date.fromisoformat(END), defaultdict(set)
    for line in lines:
        days[str(line["ResellerKey"])].add(line["OrderDate"].date())
    gaps = {key: [(b - a).days for a, b in pairwise(sorted(mine))] for key, mine in days.items()}
    beyond = {
        key
        for key, mine in gaps.items()
        if len(mine) >= 3 and (last - max(days[key])).days > max(60, 3 * statistics.median(mine))
    }
    found = quiet(channel, END)
    assert {key for key, one in found.items() if one.state == "gone quiet"} == beyond
    assert len(beyond) == 50
    assert {found[key].pattern for key in beyond} == {"sold and gone quiet"}
    late = {key: one for key, one in found.items() if (one.silent or 0) > 90}
    assert Counter(one.state for one in late.values()) == {
        "gone quiet": 50,
        "cannot tell": 57,
        "cooling": 16,
        "active": 11,
    }
    assert all(one.gaps < 3 for one in late.values() if one.state == "cannot tell")
    quarterly = [one for one in late.values() if one.gaps >= 3 and 89 <= (one.usual_gap or 0) <= 92]
    assert all((one.state == "gone quiet") == ((one.silent or 0) > (one.bound or 0)) for one in quarterly)
    assert {one.state for one in quarterly if (one.silent or 0) <= 3 * 89} == {"active", "cooling"}


def test_half_a_year_before_none_of_those_who_ordered_again_was_called_quiet(
    channel: Home, lines: list[dict[str, object]]
) -> None:
    then = dt.date(2012, 6, 30)
    again = {str(line["ResellerKey"]) for line in lines if line["OrderDate"].date() > then}
    found = quiet(channel, then.isoformat())
    assert len({key for key, one in found.items() if (one.silent or 0) > 90} & again) == 33
    assert [key for key, one in found.items() if one.state in ("gone quiet", "unlikely")] == []
