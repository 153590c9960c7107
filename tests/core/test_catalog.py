"""The catalogue reads every declaration, tells all faults at once with file, line and key, and lays overrides over."""

import datetime as dt
from fractions import Fraction
from pathlib import Path

import pytest

from groundswell.core import catalog
from groundswell.core.declare import Policy, Value
from groundswell.core.readiness import readiness
from groundswell.core.signals.declared import BEHAVIOURS, DIMENSIONS, KINDS
from groundswell.core.signals.shapes import signal_kinds
from groundswell.policy import read
from groundswell.policy.read import BadPolicy

F = Fraction

DAY = dt.date(2026, 6, 30)
SHIPPED = read.texts()
READINESS = "scores/readiness/2026-01-01.toml"
OWN = "signals/market/deals_by_region.toml"
SIGNAL = """question  = "How many deals?"
unit      = "deals"
better    = "higher"
absent    = 0
needs     = ["deals.amount_home", "touches.partner_id"]
misleads  = "It is a test."
why       = "A test."
source    = "a test"
since     = 2026-01-01
kind      = "lagging"
[measure]
from   = "deals"
where  = "amount_home > 1000"
take   = "count"
"""


def faults(path: str, text: str, root: str = "own") -> list[str]:
    """What is wrong when the instance has this one file."""
    return catalog.check({**SHIPPED, f"{root}/{path}": text})[1]


def of_signal(old: str = "", new: str = "", text: str = SIGNAL) -> list[str]:
    """What is wrong with the signal after one replacement; each fault without its file."""
    assert old in text
    found = faults(OWN, text.replace(old, new, 1))
    assert all(fault.startswith(f"{OWN}:") for fault in found)
    return [fault.removeprefix(f"{OWN}:") for fault in found]


def of_score(old: str, new: str) -> list[str]:
    """What is wrong with the shipped readiness after one replacement; each fault without its file."""
    text = SHIPPED[f"shipped/{READINESS}"]
    assert old in text
    found = faults(READINESS, text.replace(old, new, 1))
    assert all(fault.startswith(f"{READINESS}:") for fault in found)
    return [fault.removeprefix(f"{READINESS}:") for fault in found]


def line_of(text: str, part: str) -> int:
    """Line of the first line that holds this text."""
    return next(number for number, line in enumerate(text.splitlines(keepends=True), 1) if part in line)


# -------------------------------------------------------------------------------------------------- what is shipped


def test_what_is_shipped_has_no_fault_and_every_signal_is_found_by_its_file() -> None:
    policy = catalog.policy(SHIPPED)
    files = {Path(path).stem: path for path in SHIPPED if path.startswith("shipped/signals/")}
    assert {name: f"shipped/{signal.origin.file}" for name, signal in policy.signals.items()} == files
    assert policy.scores.keys() == {"readiness"}
    assert all(policy.signals[n].dimension == Path(path).parent.name for n, path in files.items())


def test_the_signal_of_a_test_is_without_fault() -> None:
    assert of_signal() == []


def test_a_policy_with_faults_is_refused_with_all_of_them() -> None:
    text = SIGNAL.replace("amount_home >", "amout_home >").replace('better    = "higher"', 'better    = "more"')
    with pytest.raises(BadPolicy) as refused:
        catalog.policy({**SHIPPED, f"own/{OWN}": text, "own/limits.toml": 'follows = "default"\nwhi = "x"\n'})
    assert [fault.split(" ")[0] for fault in refused.value.faults] == [f"{OWN}:3", f"{OWN}:13", "limits.toml:2"]


def test_all_faults_of_a_file_are_told_at_once() -> None:
    text = SIGNAL.replace('unit      = "deals"\n', "").replace('"higher"', '"up"').replace("2026-01-01", '"soon"')
    text = text.replace('"count"', '"sum"').replace('from   = "deals"', 'from   = "deals"\nwidnow = "12 months"')
    found = [fault.removeprefix(f"{OWN}:").split(":")[0] for fault in faults(OWN, text)]
    assert {"1 unit", "2 better", "8 since", "12 widnow", "14 take"} <= set(found)


def test_faults_of_several_files_come_in_the_order_of_the_files() -> None:
    texts = {
        **SHIPPED,
        "own/signals/market/b.toml": SIGNAL.replace('"higher"', '"up"'),
        "own/signals/market/a.toml": SIGNAL.replace('"higher"', '"up"'),
        "own/instance.toml": 'follows = "default"\nfiscal_first_month = 13\n',
    }
    places = [fault.split(":")[0] for fault in catalog.check(texts)[1]]
    assert places == ["signals/market/a.toml", "signals/market/b.toml", "instance.toml"]


# ------------------------------------------------------------------------------------------------ faults of signals


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("amount_home >", "amount_hom >", "13 where", ["amount_hom'", "deals", "Did you mean 'amount_home'?"]),
        ("amount_home >", "zebra >", "13 where", ["zebra", "deals"]),
        ("amount_home > 1000", "lower(name) = upper('x')", "13 where",
         ["function upper is not allowed. Allowed: days", "lower"]),
        ("> 1000", "> '1000'", "13 where", ["compares a number (amount_home) with", "text ('1000'). Write 1000."]),
        ("> 1000", "> 1000; drop table deals", "13 where", ["';' is not allowed"]),
        ('take   = "count"', 'take   = "sum"', "14 take", ['take = "sum" needs of.']),
        ('take   = "count"', 'take   = "cuont"', "14 take", ["'cuont' is not one of", "Did you mean 'count'?"]),
        ('take   = "count"', 'take   = "count"\nwindow = "fortnight"', "15 window",
         ["'fortnight' is not a window. Examples: \"12 months\", \"13 weeks\""]),
        ('take   = "count"', 'take   = "count"\nwindow = "12 month"', "15 window", ["'12 month' is not a window"]),
        ('take   = "count"', 'take   = "count"\nshift = "a while"', "15 shift", ["is not a length of time"]),
        ('take   = "count"', 'take   = "count"\non = "stage"', "15 on", ["'stage' is not a date column of deals"]),
        ('take   = "count"', 'take   = "count distinct"\nof = "acount_id"', "15 of",
         ["unknown column 'acount_id' of deals"]),
        ('take   = "count"', 'take   = "highest"\nof = "account_id"', "15 of", ["is an id; ids may only be counted"]),
        ('take   = "count"', 'take   = "sum"\nof = "name"', "15 of", ["'name' is no number, so it has no sum"]),
        ('take   = "count"', 'take   = "count"\nkeep = "peak > 1"', "11 per", ["each and keep need per"]),
        ('take   = "count"', 'take   = "count"\nper = "deal_id"\neach.x = { take = "sum", of = "type" }', "16 x",
         ["'type' is no number, so it has no sum."]),
        ('take   = "count"', 'take   = "count"\nper = "deal_id"\neach.x = { take = "highest" }', "16 x",
         ['take = "highest" needs of.']),
        ('take   = "count"', 'take   = "sum"\nof = "x"\nper = "type"\neach.x = { take = "lowest", of = "created_on" }',
         "15 of", ["'x' is no number, so it has no sum."]),
        ('take   = "count"', 'take   = "count"\nper = "type"\neach.x = { take = "lowest", of = "created_on" }\nkeep = "x > 1"',
         "17 keep", ["compares a date (x) with a number (1)"]),
        ('take   = "count"', 'take   = "count"\nper = "acount_id"', "15 per", ["unknown column 'acount_id' of deals"]),
        ('take   = "count"', 'take   = "count"\n[measure.minus]\nshift = "1 year"\n[measure.over]\nwhere = "true"',
         "17 over", ["at most one of minus, over and grown_from"]),
        ('take   = "count"', 'take   = "count"\nwidnow = "1 year"', "15 widnow",
         ["key 'widnow' is not known here. Did you mean 'window'?"]),
        ('unit      = "deals"', "unit      = 3", "2 unit", ["3 is not a text"]),
        ('unit      = "deals"', 'unit      = "yes/no"', "2 unit", ["is the unit of yes or no; the measure gives a number"]),
        ('take   = "count"', 'take   = "any"', "2 unit",
         ["'deals' is the unit of a number; the measure gives yes or no: write unit = \"yes/no\""]),
        ('take   = "count"', 'take   = "latest"\nof = "close_on"', "2 unit", ['the measure gives a date: write unit = "date"']),
        ('better    = "higher"', 'better    = "up"', "3 better", ["'up' is not one of higher, lower"]),
        ('kind      = "lagging"\n', "", "1 kind", ["is required"]),
        ('"lagging"', '"laging"', "10 kind", ["'laging' is not one of leading, lagging, residue", "Did you mean 'lagging'?"]),
        ('"lagging"', '"lagging"\nbehaviour = "use case"', "11 behaviour",
         ["'use case' is not one of use cases, ICP, sales motion", "Did you mean 'use cases'?"]),
        ('take   = "count"', 'take   = "count"\nper = "type"\neach.x = { take = "count", where = "stge = \'won\'" }', "16 x",
         ["unknown name 'stge'. Did you mean 'stage'?"]),
        ('take   = "count"', 'take   = "count"\nfollowed_by = { where = "stge = 1", same = "deal_id", within = 9 }', "15 where",
         ["unknown name 'stge'"]),
        ('take   = "count"', 'take   = "count"\nfollowed_by = { where = "true", same = "deal", within = 9 }', "15 same",
         ["unknown column 'deal' of deals"]),
        ('take   = "count"', 'take   = "count"\nfollowed_by = { where = "true", same = "deal_id", within = -1 }', "15 within",
         ["is not a whole number from 0"]),
        ('take   = "count"', 'take   = "any"\nfollowed_by = { where = "true", same = "deal_id", within = 9 }', "15 followed_by",
         ["goes with take count or count distinct"]),
        ("absent    = 0", 'absent    = "none"', "4 absent", ["'none' is not a number"]),
        ("absent    = 0", "absent    = nan", "4 absent", ["is not a number"]),
        ("since     = 2026-01-01", 'since     = "2026-01-01"', "9 since", ["is not a day; write 2026-01-31"]),
        ('why       = "A test."\n', "", "1 why", ["is required"]),
        ('take   = "count"', 'take   = "highest"\nof     = "account_tags"', "15 of",
         ["'account_tags' is a list of words", "has(account_tags, 'word')"]),
        ('source    = "a test"\n', "", "1 source", ["is required"]),
        ('misleads  = "It is a test."', 'mislead   = "It is a test."', "6 mislead",
         ["is not known here. Did you mean 'misleads'?"]),
        ("absent    = 0", 'absent    = 0\nread_with = ["won_deal"]', "5 read_with",
         ["'won_deal' does not exist. Nearest: won_deals."]),
    ],
)  # fmt: skip
def test_a_fault_names_file_line_key_what_is_wrong_and_what_to_write(
    old: str, new: str, place: str, says: list[str]
) -> None:
    found = of_signal(old, new)
    assert any(fault.startswith(f"{place}:") and all(said in fault for said in says) for fault in found), found


def test_a_signal_of_ones_own_says_its_kind_and_may_say_its_behaviour() -> None:
    text = SIGNAL.replace('kind      = "lagging"', 'kind      = "leading"\nbehaviour = "sales motion"')
    policy, found = catalog.check({**SHIPPED, f"own/{OWN}": text})
    assert found == []
    mine = policy.signals["deals_by_region"]
    assert (mine.kind, mine.behaviour, mine.origin.own) == ("leading", "sales motion", True)
    assert policy.signals["won_deals"].behaviour == ""


def test_each_of_the_eight_leading_behaviours_has_a_leading_signal_and_each_dimension_has_several() -> None:
    signals = catalog.policy(SHIPPED).signals.values()
    assert {one.behaviour for one in signals if one.kind == "leading" and one.behaviour} == set(BEHAVIOURS)
    assert len(BEHAVIOURS) == 8
    assert {one.kind for one in signals} == set(KINDS)
    for dimension in DIMENSIONS:
        assert sum(one.dimension == dimension for one in signals) >= 10
    assert len(signals) >= 50


def test_a_second_half_clears_what_must_follow_with_an_empty_table() -> None:
    follows = 'followed_by = { where = "true", same = "account_id", within = 9 }'
    halves = {
        written: catalog.check({**SHIPPED, f"own/{OWN}": f"{SIGNAL}{follows}\n[measure.over]\n{written}\n"})[0]
        .signals["deals_by_region"]
        .measure.second
        for written in ("followed_by = {}", 'where = "true"')
    }
    said = [half.followed_by is not None for half in halves.values() if half]
    assert said == [False, True]


def test_needs_must_equal_what_the_measure_uses() -> None:
    assert of_signal('"deals.amount_home"', '"deals.amount"') == [
        "5 needs: lists deals.amount, but the measure does not use it. Run: groundswell check --fix",
        "5 needs: leaves out deals.amount_home, which the measure uses. Run: groundswell check --fix",
    ]


@pytest.mark.parametrize(
    "measure",
    [
        'where = "email = \'ann@firm.example\'"\ntake = "count"',
        'where = "lower(full_name) like \'a%\'"\ntake = "count"',
        'take = "count distinct"\nof = "email"',
        'take = "latest"\nof = "full_name"',
        'take = "count"\nper = "email"',
        'take = "count"\nper = "organisation_id"\neach.names = { take = "count distinct", of = "full_name" }',
        'take = "count"\nper = "organisation_id"\neach.anns = { take = "count", where = "full_name = \'Ann\'" }',
        'take = "count"\nfollowed_by = { where = "email is null", same = "organisation_id", within = 9 }',
        'take = "count"\nfollowed_by = { where = "true", same = "email", within = 9 }',
    ],
)
def test_a_column_that_names_a_person_is_refused_wherever_it_stands(measure: str) -> None:
    text = SIGNAL.split("[measure]", maxsplit=1)[0] + f'[measure]\nfrom = "people"\n{measure}\n'
    assert any("names a person and cannot be used in a signal" in fault for fault in faults(OWN, text))


def test_what_came_beside_an_activity_is_out_of_reach_of_signals() -> None:
    text = (
        SIGNAL.split("[measure]", maxsplit=1)[0]
        + '[measure]\nfrom = "activities"\ntake = "count"\nwhere = "data is null"\n'
    )
    assert any("'data' names a person" in fault for fault in faults(OWN, text))


@pytest.mark.parametrize("table", ["deal", "touches", "links", "deals; drop table deals", "tiers"])
def test_a_table_that_reaches_no_partner_is_refused(table: str) -> None:
    found = of_signal('from   = "deals"', f'from   = "{table}"')
    assert any(fault.startswith("12 from:") and f"'{table}' is not" in fault for fault in found)


@pytest.mark.parametrize(
    "measure",
    [
        'take = "sum"\nof = "week"',
        'take = "count"\nper = "account_id"\neach.peak = 3',
        'take = "count"\nper = "account_id"\neach.peak = { take = "highest", of = "amout" }\nkeep = "peak > 1"',
        'take = "count"\nwindow = "99999999999 days"',
        "take = 3",
        'take = "count"\nwhere = 3',
        'take = "count"\nminus = 3',
        "take = [1]",
    ],
)
def test_what_cannot_be_measured_is_a_fault_of_its_file_and_no_crash(measure: str) -> None:
    text = SIGNAL.split("[measure]", maxsplit=1)[0] + f'[measure]\nfrom = "deals"\n{measure}\n'
    places = [fault for fault in faults(OWN, text) if " needs: " not in fault]
    assert places
    assert all(fault.startswith(f"{OWN}:") for fault in places)


def test_a_second_half_inherits_what_it_does_not_set_and_true_clears_a_condition() -> None:
    text = SIGNAL + 'window = "12 months"\n[measure.over]\nwhere = "true"\nshift = "1 year"\n'
    text = text.replace(
        '["deals.amount_home", "touches.partner_id"]',
        '["deals.amount_home", "deals.occurred_on", "touches.partner_id"]',
    )
    policy, found = catalog.check({**SHIPPED, f"own/{OWN}": text})
    assert found == []
    measure = policy.signals["deals_by_region"].measure
    assert (measure.where, measure.window, measure.shift, measure.how) == (
        "amount_home > 1000",
        "12 months",
        "",
        "over",
    )
    assert measure.second is not None
    half = measure.second
    assert (half.table, half.take, half.where, half.window, half.shift) == ("deals", "count", "", "12 months", "1 year")


def test_a_list_of_policy_is_read_by_its_file_name() -> None:
    text = SIGNAL.replace("amount_home > 1000", "product in $core_products").replace(
        "deals.amount_home", "deals.product"
    )
    words = 'codes = ["basic", "plus"]\nwhy = "w"\nsource = "s"\nsince = 2026-01-01\n'
    policy, found = catalog.check({**SHIPPED, f"own/{OWN}": text, "own/lists/core_products.toml": words})
    assert found == []
    assert policy.lists == {"core_products": ("basic", "plus")}
    missing = [fault for fault in faults(OWN, text) if " where:" in fault]
    assert len(missing) == 1
    assert "there is no list '$core_products'" in missing[0]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("signals/magic/x.toml", "folder 'magic' is not a dimension: engagement, potential, market, capability"),
        ("signals/x.toml", ""),
        ("signals/market/deep/x.toml", ""),
        ("signal/market/x.toml", "no file is read at this place"),
        ("scores/readiness.toml", ""),
        ("limit.toml", "no file is read at this place"),
    ],
)
def test_a_file_in_no_known_place_is_a_fault_and_never_ignored(path: str, says: str) -> None:
    found = faults(path, SIGNAL)
    assert any(fault.startswith(f"{path}:1 ") and says in fault for fault in found)


def test_two_signals_of_one_name_are_a_fault() -> None:
    assert faults("signals/market/won_deals.toml", SIGNAL) != []


# ------------------------------------------------------------------------------------------------- faults of scores


@pytest.mark.parametrize(
    ("old", "new", "beside", "says"),
    [
        ('signal = "people_certified"', 'signal = "people_certfied"', "people_certfied",
         "signal: 'people_certfied' does not exist. Nearest: people_certified."),
        ("low = -50\n  high = 25\n", "low = 25\n  high = 25\n", "high = 25\n", "high: low and high are equal."),
        ("[1, 40], [2, 70]", "[10, 40], [5, 70]", "bands = [[0, 0], [10", "bands: 5 follows 10; write them in rising order."),
        ("[1, 40]", "[1, 140]", "[1, 140]", "bands: points go from 0 to 100."),
        ("[1, 40]", '["1/0", 40]', '["1/0", 40]', "bands: "),
        ("[1, 40]", "[1]", "bands = [[0, 0], [1]", "bands: is a list of pairs: [[0, 0], [1, 40]]"),
        ("bands = [[0, 0], [1, 40]", "yes = 10\n  bands = [[0, 0], [1, 40]", 'signal = "people_certified"',
         "signal: bands and yes given; a line earns by low and high, bands, or yes."),
        ("  low = -50\n  high = 25\n", "", 'signal = "won_revenue_growth"', "signal: nothing given; a line earns by"),
        ("  low = -50\n", "", 'signal = "won_revenue_growth"', "signal: nothing given"),
        ("low = -50", "low = -50\n  yes = 5", 'signal = "won_revenue_growth"', "signal: low and yes given"),
        ("low = -50", 'low = -50\n  missing = "zero"', 'missing = "zero"', 'missing: missing = "zero" needs a why.'),
        ("low = -50", 'low = -50\n  missing = "nil"', 'missing = "nil"', "missing: 'nil' is not one of unknown, leave out, zero"),
        ("low = -50", "low = nan", "low = nan", "low: "),
        ("low = -50", "low = inf", "low = inf", "low: "),
        ("low = -50", "wieght = 3\n  low = -50", "wieght", "wieght: key 'wieght' is not known here. Did you mean 'weight'?"),
        ("low = -50", 'low = -50\n  only_if = "open_deal >= 1"', "only_if",
         "only_if: unknown name 'open_deal'. Did you mean 'open_deals'?"),
        ("low = -50", "low = -50\n  only_if = \"open_deals >= '1'\"", "only_if", "Write 1."),
        ("low = -50", 'low = -50\n  applies_if = "true; true"', "true; true", "applies_if: ';' is not allowed in a condition"),
        ("weight = 35", "weight = 0", "weight = 0", "weight: must be above 0"),
        ("weight = 35", "weight = -1", "weight = -1", "weight: must be above 0"),
        ("out_of       = 100", "out_of       = 0", "out_of", "out_of: must be above 0"),
        ('"weighted"', '"geometrc"', "combine", "combine: 'geometrc' is not one of weighted"),
        ('"market_alignment", "capability"]', '"market"]', "provisional", "parts: 'market' is not a part of this score."),
        ("days_since_joined < 180", "days_since_join < 180", "provisional", "Did you mean 'days_since_joined'?"),
        ('["minimal", 40], ["moderate", 60]', '["minimal", 60], ["moderate", 40]', "band_names", "band_names: write the names"),
        ('["none", 0], ', "", "band_names", "band_names: write the names of the bands in rising order from 0"),
        ("since        = 2026-01-01", "since        = 2026-02-01", "since  ", "since: the file is named 2026-01-01.toml"),
        ('signal = "overdue_open_deals"', 'signal = "overdue_deals"', '"overdue_deals"', "Nearest: overdue_open_deals."),
        ("bands = [[0, 0], [3, 3], [6, 6]]", "bands = [[0, 0], [3, 3], [2, 6]]", "[2, 6]", "bands: 2 follows 3"),
        ("bands = [[0, 0], [3, 3], [6, 6]]", "bands = []", "bands = []", "bands: is empty, so nothing is ever earned."),
        ("enough_known = 60", "enough_known = 600", "enough_known", "enough_known: is a percentage of the weight, 0 to 100"),
        ("enough_known = 60", "enough_known = -1", "enough_known", "enough_known: is a percentage of the weight, 0 to 100"),
        ("weight = 35", "weight = 35\nmax = 150", "max = 150", "max: points go from 0 to 100."),
    ],
)  # fmt: skip
def test_a_fault_of_a_score_names_its_line_and_what_to_write(old: str, new: str, beside: str, says: str) -> None:
    text = SHIPPED[f"shipped/{READINESS}"].replace(old, new, 1)
    found = of_score(old, new)
    assert any(fault.startswith(f"{line_of(text, beside)} ") and says in fault for fault in found), found


TWICE = '[[part.line]]\n  signal = "people_met"\n  {}low = 4\n  high = 10\n\n  [[part.line]]\n  signal = "people_met"'


def test_two_figures_of_one_name_are_a_fault_that_names_both_lines() -> None:
    """They would be told apart by nothing: the parts of an explanation would not add up to its total."""
    says = "stands on line {} too; give each a name of its own, or leave one out"
    once = '[[part.line]]\n  signal = "people_met"'
    assert of_score(once, TWICE.format("")) == [f"27 signal: 'people_met' {says.format(22)}"]
    assert of_score(once, TWICE.format('name = "many people"\n  ')) == []
    text = SHIPPED[f"shipped/{READINESS}"]
    penalty = 'signal = "overdue_open_deals"'
    first = line_of(text, penalty)
    found = of_score(penalty, f"{penalty}\nbands = [[2, 5]]\n[[penalty]]\n{penalty}")
    assert found == [f"{first + 3} signal: 'overdue_open_deals' {says.format(first)}"]
    one, other = (line_of(text, f'name = "{part}"') for part in ("engagement", "market_alignment"))
    found = of_score('name = "market_alignment"', 'name = "engagement"')
    assert f"{other} name: 'engagement' {says.format(one)}" in found


@pytest.mark.parametrize(
    ("unit", "earns", "says"),
    [
        ("yes/no", "low = 0\n  high = 1", "low: 'won_revenue_growth' is yes/no and has no low; write yes = 100"),
        ("yes/no", "bands = [[0, 50]]", "bands: 'won_revenue_growth' is yes/no and has no bands; write yes = 100"),
        ("word", "yes = 100", "yes: 'won_revenue_growth' is a word, which earns no points; use it in only_if."),
        (
            "date",
            "low = 0\n  high = 1",
            "low: 'won_revenue_growth' is a date, which earns no points; use it in only_if.",
        ),
    ],
)
def test_a_line_that_can_never_count_is_a_fault(unit: str, earns: str, says: str) -> None:
    signal = "signals/potential/won_revenue_growth.toml"
    texts = {
        **SHIPPED,
        f"own/{signal}": f'follows = "default"\nunit = "{unit}"\n',
        f"own/{READINESS}": SHIPPED[f"shipped/{READINESS}"].replace("low = -50\n  high = 25", earns),
    }
    found = [fault for fault in catalog.check(texts)[1] if fault.startswith(READINESS)]
    assert [says in fault for fault in found] == [True], found


def test_every_fault_of_a_score_is_told_at_once() -> None:
    text = SHIPPED[f"shipped/{READINESS}"]
    for old, new in (("low = -50", "lo = -50"), ("weight = 35", "weight = 0"), ("people_certified", "people_certfied")):
        text = text.replace(old, new, 1)
    found = {fault.split(" ")[0].removeprefix(f"{READINESS}:") for fault in faults(READINESS, text)}
    assert {str(line_of(text, part)) for part in ("lo = -50", "weight = 0", "people_certfied")} <= found


def test_the_word_for_what_is_missing_is_checked_for_the_whole_score_too() -> None:
    assert of_score('missing      = "leave out"', 'missing      = "zreo"') != []


def test_points_for_yes_go_to_a_hundred() -> None:
    assert of_score("bands = [[0, 0], [1, 40], [2, 70], [5, 100]]", "yes = 150") != []


def test_a_score_without_parts_or_a_part_without_lines_is_refused() -> None:
    head = SHIPPED[f"shipped/{READINESS}"].split("[[part]]", maxsplit=1)[0]
    assert any("a score needs at least one [[part]]" in fault for fault in faults(READINESS, head))
    empty = head + '[[part]]\nname = "market_alignment"\n[[part]]\nname = "capability"\n'
    found = faults(READINESS, empty)
    assert [fault.split(" ", 1)[1] for fault in found if "has no [[part.line]]" in fault] == [
        "line: part 'market_alignment' has no [[part.line]]",
        "line: part 'capability' has no [[part.line]]",
    ]


LAST_SALE = """question = "When was the last deal won?"
unit = "date"
better = "higher"
needs = ["deals.closed_on", "touches.partner_id"]
misleads = "It is a test."
why = "A test."
source = "a test"
since = 2026-01-01
kind = "lagging"
[measure]
from = "deals"
take = "highest"
of = "closed_on"
"""


@pytest.mark.parametrize(
    "condition",
    ["days(last_sale_on, as_of) <= 400", "last_sale_on < as_of", "last_sale_on >= date '2026-01-01'"],
)
def test_a_condition_over_signals_that_the_check_accepts_is_answered(condition: str) -> None:
    score = SHIPPED[f"shipped/{READINESS}"].replace("low = -50", f'low = -50\n  only_if = "{condition}"', 1)
    texts = {**SHIPPED, "own/signals/potential/last_sale_on.toml": LAST_SALE, f"own/{READINESS}": score}
    policy, found = catalog.check(texts)
    if found:
        assert all(fault.startswith(f"{READINESS}:") and "only_if" in fault for fault in found)
        return
    values = {"last_sale_on": Value.of(dt.date(2026, 1, 31)), "won_revenue_growth": Value.of(F(25))}
    scored = readiness(policy, values, signal_kinds(policy.signals), DAY)
    line = next(one for one in scored.lines if one.line.name == "won_revenue_growth")
    assert (line.earned.low, line.earned.high) == (100, 100)


# --------------------------------------------------------------------------------------------- instance and sources


@pytest.mark.parametrize(
    ("path", "text", "fault"),
    [
        ("instance.toml", "fiscal_first_month = 13", "2 fiscal_first_month: 13 is not a whole number from 1 to 12"),
        ("instance.toml", "fiscal_first_month = 6.5", "2 fiscal_first_month: 6.5 is not a whole number from 1 to 12"),
        ("instance.toml", 'fiscal_first_month = "June"', "2 fiscal_first_month: 'June' is not a number"),
        ("instance.toml", "rate_days = -1", "2 rate_days: -1 is not a whole number from 0 to 3660"),
        ("instance.toml", 'home_zone = "Berlin"', "2 home_zone: 'Berlin' is not a time zone"),
        ("instance.toml", 'home_zone = "localtime"', "2 home_zone: 'localtime' is not a time zone; write one such as"),
        ("instance.toml", 'home_zone = "Factory"', "2 home_zone: 'Factory' is not a time zone"),
        ("instance.toml", 'home_zone = ""', "2 home_zone: '' is not a time zone"),
        ("instance.toml", 'home_currency = ""', "2 home_currency: '' is not a currency; write its ISO 4217 code"),
        ("instance.toml", 'home_currency = "eur"', "2 home_currency: 'eur' is not a currency; write its ISO 4217 code"),
        ("instance.toml", "home_currency = 3", "2 home_currency: 3 is not a text"),
        (
            "instance.toml",
            'home_zon = "UTC"',
            "2 home_zon: key 'home_zon' is not known here. Did you mean 'home_zone'?",
        ),
        ("sources.toml", '[order]\nevery = "salesforce"', "3 every: is a list of texts in quotes"),
        (
            "sources.toml",
            '[order]\norganisation = ["hubspot"]',
            "3 organisation: key 'organisation' is not known here. Did you mean 'organisations'?",
        ),
        ("limits.toml", '[bounds]\ncolumns = "many"', "3 columns: 'many' is not a number"),
        ("limits.toml", "[bounds]\ncolumns = 40.5", "3 columns: 40.5 is not a whole number from 1 to"),
        ("limits.toml", "[bounds]\ncolumns = 0", "3 columns: 0 is not a whole number from 1 to"),
        ("limits.toml", "[bounds]\nfree_bytes = -1", "3 free_bytes: -1 is not a whole number from 1 to"),
        (
            "limits.toml",
            "[bounds]\ncell_characters = 9223372036854775808",
            "3 cell_characters: 9223372036854775808 is not a whole number from 1 to 9223372036854775807",
        ),
        (
            "limits.toml",
            "[bounds]\nfree_byte = 5",
            "3 free_byte: key 'free_byte' is not known here. Did you mean 'free_bytes'?",
        ),
    ],
)
def test_what_a_vendor_sets_once_is_checked(path: str, text: str, fault: str) -> None:
    assert [
        found.removeprefix(f"{path}:")[: len(fault)] for found in faults(path, f'follows = "default"\n{text}\n')
    ] == [fault]


def test_a_whole_file_of_limits_names_every_bound() -> None:
    origin = 'why = "w"\nsource = "s"\nsince = 2026-01-01\n'
    names = "header_lines, free_bytes, evidence_rows, ratio, unpacked_bytes, shared_bytes, members, depth, "
    names += "gone_percent, outage_percent, outage_partners, outage_window_days, outage_active_days, "
    names += "outage_silent_gaps, outage_together_gaps, draft_rows, draft_percent, draft_named_percent, draft_words, "
    names += "peers, history_months, upload_bytes, export_rows, kept_days, fresh_days"
    rest = f'{names}; write them too, or follows = "default" at the head'
    whole = origin + "[bounds]\ncell_characters = 1000\ncolumns = 10\n"
    assert faults("limits.toml", whole) == [f"limits.toml:4 bounds: leaves out {rest}"]
    assert faults("limits.toml", origin) == [
        f"limits.toml:1 bounds: leaves out cell_characters, columns, {rest}",
    ]


def test_a_score_that_nothing_computes_is_a_fault() -> None:
    text = SHIPPED[f"shipped/{READINESS}"]
    assert faults("scores/loyalty/2026-01-01.toml", text) == [
        "scores/loyalty/2026-01-01.toml:1 a score 'loyalty' is computed nowhere; write scores/readiness/DAY.toml"
    ]


# ------------------------------------------------------------------------------- faults of segments, dormancy, gaming


@pytest.mark.parametrize(
    ("path", "old", "new", "beside", "says"),
    [
        ("segments.toml", "won_revenue > 0", "won_revenu > 0", "won_revenu >", "all: unknown name 'won_revenu'. Did you mean"),
        ("segments.toml", '["readiness.total >= 60"', '["readiness.totl >= 60"', "readiness.totl",
         "all: unknown name 'readiness.totl'. Did you mean 'readiness.total'?"),
        ("segments.toml", "readiness.total >= 55", "readiness.total >= '55'", "'55'", "stay: compares a number"),
        ("segments.toml", 'all = ["won_revenue > 0"]', "all = []", "all = []",
         "all: segment 'active' has no condition, so it would hold for everyone; write all or any"),
        ("segments.toml", "stay_reviews = 2", "stay_reviews = 0", "stay_reviews = 0", "stay_reviews: 0 is not a whole number"),
        ("segments.toml", "stay_reviews = 2", "stay_revews = 2", "stay_revews",
         "stay_revews: key 'stay_revews' is not known here. Did you mean 'stay_reviews'?"),
        ("segments.toml", "quarter_ends = 3", "quarter_ends = 2.5", "quarter_ends = 2.5", "quarter_ends: 2.5 is not a whole"),
        ("segments.toml", 'when = ["readiness.total < 30"]', "when = []", "when = []", "when: review 'low' has no condition"),
        ("segments.toml", 'share_by = "won_revenue"', 'share_by = "won_revenu"', "share_by",
         "share_by: 'won_revenu' is no signal that is a number. Nearest: won_revenue."),
        ("segments.toml", "top_percent = 80", "top_percent = 0", "top_percent", "top_percent: is a percentage above 0"),
        ("segments.toml", "has_at_least = 2", "has_at_least = 9", "has_at_least", "has_at_least: 9 of 4 in [attention.has]"),
        ("segments.toml", "products_sold >= 2", "product_sold >= 2", "stack_experience",
         "stack_experience: unknown name 'product_sold'"),
        ("segments.toml", 'trend = "won_revenue_growth"', 'trend = "readiness.total"', "trend",
         "trend: 'readiness.total' is no signal that is a number."),
        ("segments.toml", "enough_known = 50", "enough_known = 101", "enough_known", "enough_known: is a percentage"),
        ("segments.toml", "least_partners = 10", "least_partners = 0", "least_partners", "least_partners: 0 is not a whole"),
        ("segments.toml", '["below 1M", 0.01]', '["below 1M", 2000000]', "tail_bands", "tail_bands: write the names of the"),
        ("segments.toml", '["below 1M", 0.01]', '["below 1M", "x"]', "tail_bands", "tail_bands: 'x' is a text"),
        ("dormancy.toml", "gap_factor = 3", "gap_factor = 0", "gap_factor", "gap_factor: 0 is not a whole number"),
        ("dormancy.toml", "cooling_silence = 30", "cooling_silence = 61", "cooling_silence",
         "cooling_silence: is longer than least_silence"),
        ("dormancy.toml", 'sign_ins = ["portal_login"]', "sign_ins = []", "sign_ins", "sign_ins: names no type of activity"),
        ("dormancy.toml", "least_gaps = 3", "", "[silence]", "least_gaps: is required"),
        ("gaming.toml", "robust_z = 3.5", "robust_z = 0", "robust_z", "robust_z: must be above 0"),
        ("gaming.toml", "[0, 1, 3, 10]", "[0, 3, 1]", "outcome_bands", "outcome_bands: is a list of whole numbers, rising"),
        ("gaming.toml", "hour_percent = 50", "hour_percent = 500", "hour_percent", "hour_percent: 500 is not a whole number"),
        ("gaming.toml", "pile_percent", "pile_per_cent", "pile_per_cent", "key 'pile_per_cent' is not known here"),
    ],
)  # fmt: skip
def test_faults_of_segments_dormancy_and_gaming(path: str, old: str, new: str, beside: str, says: str) -> None:
    text = SHIPPED[f"shipped/{path}"]
    assert old in text
    changed = text.replace(old, new, 1)
    found = faults(path, changed)
    assert any(fault.startswith(f"{path}:{line_of(changed, beside)} ") and says in fault for fault in found), found


def test_rows_of_segments_keep_their_order_and_may_be_changed_one_by_one() -> None:
    own = 'follows = "default"\n[segment.ready]\nstay_reviews = 3\n[segment.partners_of_old]\nall = ["won_deals > 9"]\n'
    policy, found = catalog.check({**SHIPPED, "own/segments.toml": own})
    assert found == []
    assert policy.segments is not None
    assert [row.name for row in policy.segments.rows] == [
        "active",
        "ready",
        "inactive",
        "developing",
        "partners_of_old",
    ]
    assert [row.stay_reviews for row in policy.segments.rows] == [1, 3, 1, 1, 1]
    assert policy.segments.origin.own is True


def test_the_policy_of_a_run_of_old_has_no_segments() -> None:
    old = {
        path: text
        for path, text in SHIPPED.items()
        if not path.endswith(("segments.toml", "dormancy.toml", "gaming.toml"))
    }
    policy, found = catalog.check(old)
    assert (found, policy.segments, policy.dormancy, policy.gaming) == ([], None, None, None)


# -------------------------------------------------------------------------------------------------------- overrides


def bars(policy: Policy, signal: str) -> tuple[F, F] | None:
    return next(n.bars for p in policy.scores["readiness"][0].parts for n in p.lines if n.signal == signal)


def test_a_file_at_the_same_path_takes_the_place_of_the_shipped_one() -> None:
    text = SIGNAL.replace("How many deals?", "How many deals are ours?")
    policy, found = catalog.check({**SHIPPED, "own/signals/potential/won_deals.toml": text})
    assert found == []
    mine = policy.signals["won_deals"]
    assert (mine.question, mine.measure.where, mine.read_with) == ("How many deals are ours?", "amount_home > 1000", ())
    assert mine.origin.own is True
    assert policy.signals["won_revenue"].origin.own is False


def test_follows_default_names_only_what_differs() -> None:
    own = (
        'follows = "default"\nenough_known = 50\nwhy = "Ours."\n\n[[part]]\nname = "capability"\nweight = 20\n\n'
        '  [[part.line]]\n  signal = "people_who_applied_courses"\n  high = 12\n\n'
        '  [[part.line]]\n  signal = "open_deals"\n  low = 0\n  high = 3\n'
    )
    policy, found = catalog.check({**SHIPPED, f"own/{READINESS}": own})
    assert found == []
    shipped, mine = catalog.policy(SHIPPED).scores["readiness"][0], policy.scores["readiness"][0]
    assert (mine.enough_known, mine.origin.why, mine.out_of) == (50, "Ours.", shipped.out_of)
    assert [part.name for part in mine.parts] == [part.name for part in shipped.parts]
    assert mine.parts[:3] == shipped.parts[:3]
    assert mine.parts[3].weight == 20
    assert [line.signal for line in mine.parts[3].lines] == [
        *(line.signal for line in shipped.parts[3].lines),
        "open_deals",
    ]
    assert bars(policy, "people_who_applied_courses") == (0, 12)
    assert bars(policy, "professional_certificates") == (0, 3)


def test_follows_default_needs_a_shipped_file_to_follow() -> None:
    with pytest.raises(
        BadPolicy, match=r'signals/market/x\.toml: follows = "default", but no shipped file has this path'
    ):
        catalog.check({**SHIPPED, "own/signals/market/x.toml": 'follows = "default"\n'})


@pytest.mark.parametrize(
    ("own", "wrong"),
    [
        ('follows = "default"\n\n[[part]]\nname = "capability"\nweight = "heavy"\n', 'weight = "heavy"'),
        ('follows = "default"\n[[part]]\nname = "market_alignment"\n[[part.line]]\nsignal = "products_sold"\nhigh = 0\n',
         "high = 0"),
        ('follows = "default"\n\n[[part]]\nname = "capability"\nwieght = 3\n', "wieght"),
        ('follows = "default"\nenough_known = "much"\n', "enough_known"),
    ],
)  # fmt: skip
def test_a_fault_of_an_override_names_the_line_in_the_override(own: str, wrong: str) -> None:
    found = faults(READINESS, own)
    assert [fault.split(" ")[0] for fault in found] == [f"{READINESS}:{line_of(own, wrong)}"]


def test_a_file_that_is_no_toml_is_named() -> None:
    with pytest.raises(BadPolicy, match=r"signals/market/x\.toml: "):
        catalog.check({**SHIPPED, "own/signals/market/x.toml": "question = \n"})


# --------------------------------------------------------------------------------------------------------- version


def test_the_version_is_of_every_text_and_its_path_and_of_nothing_else() -> None:
    turned = dict(reversed(SHIPPED.items()))
    assert catalog.version(turned) == catalog.version(SHIPPED) == catalog.policy(SHIPPED).version
    for path in SHIPPED:
        assert catalog.version({**SHIPPED, path: SHIPPED[path] + "\n"}) != catalog.version(SHIPPED)
    moved = {path: text for path, text in SHIPPED.items() if path != f"shipped/{READINESS}"}
    assert catalog.version({**moved, f"own/{READINESS}": SHIPPED[f"shipped/{READINESS}"]}) != catalog.version(SHIPPED)
    assert catalog.policy(SHIPPED).files == SHIPPED


def test_editions_are_chosen_by_the_day() -> None:
    later = SHIPPED[f"shipped/{READINESS}"].replace("since        = 2026-01-01", "since        = 2026-07-01")
    policy = catalog.policy({**SHIPPED, "own/scores/readiness/2026-07-01.toml": later})
    days = [dt.date(2025, 1, 1), dt.date(2026, 6, 30), dt.date(2026, 7, 1), dt.date(2027, 1, 1)]
    assert [policy.edition("readiness", day).origin.since.month for day in days] == [1, 1, 7, 7]


def test_every_number_and_word_of_policy_has_a_why_a_source_and_a_since() -> None:
    policy = catalog.policy(SHIPPED)
    origins = [signal.origin for signal in policy.signals.values()]
    origins += [edition.origin for editions in policy.scores.values() for edition in editions]
    assert all(origin.why and origin.source and origin.since > dt.date(2020, 1, 1) for origin in origins)
