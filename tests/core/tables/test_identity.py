"""Own ids and match keys are the same everywhere, and chains of links end in one id or are refused."""

import hashlib
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.core.tables.identity import follow, name_key, own_id, salesforce_18, web_domain


def test_an_own_id_is_the_prefix_and_twenty_hex_digits_over_source_object_and_id() -> None:
    digest = hashlib.sha256(b"salesforce\x1faccount\x1f0015g00000XyZaBAAV").hexdigest()
    assert own_id("o", "salesforce", "account", "0015g00000XyZaBAAV") == f"o_{digest[:20]}"


def test_ids_of_another_source_object_or_case_are_other_ids() -> None:
    made = {
        own_id("o", "salesforce", "account", "A1"),
        own_id("o", "hubspot", "account", "A1"),
        own_id("o", "salesforce", "partner", "A1"),
        own_id("o", "salesforce", "account", "a1"),
        own_id("o", "salesforce", "accountA", "1"),
    }
    assert len(made) == 5


def test_a_name_key_folds_case_width_and_spaces() -> None:
    assert name_key("  Rönnebäck  &\tSÖHNE ") == "name:rönnebäck & söhne"
    assert name_key("Ａｃｍｅ") == name_key("ACME") == "name:acme"
    assert name_key("Acme Inc") != name_key("Acme")


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("0065g00000AbCdE", "0065g00000AbCdEAAV"),
        ("0065g00000abCdE", "0065g00000abCdEAAU"),
        ("0065g00000ABcDe", "0065g00000ABcDeAAL"),
        ("0015g00000XyZaB", "0015g00000XyZaBAAV"),
        ("0015g00000xyZaB", "0015g00000xyZaBAAU"),
        ("ABCDEFGHIJKLMNO", "ABCDEFGHIJKLMNO555"),
        ("abcdefghijklmno", "abcdefghijklmnoAAA"),
    ],
)
def test_fifteen_characters_become_the_eighteen_that_survive_folded_case(short: str, long: str) -> None:
    assert salesforce_18(short) == long
    assert salesforce_18(long) == long


def test_the_eighteen_characters_are_those_of_the_published_cases(specs: Path) -> None:
    expected = tomllib.loads((specs / "imports" / "expected.toml").read_text("utf-8"))
    pairs = expected["sf_report_opps_with_partners.csv"]["id18"]
    assert {short: salesforce_18(short) for short in pairs} == pairs


@pytest.mark.parametrize(
    "text", ["", "P-1", "0065g00000AbCd", "0065g00000AbCdEF", "0065g00000AbC-E", "0065g00000ÄbCdE"]
)
def test_what_is_no_salesforce_id_stays_as_it_is(text: str) -> None:
    assert salesforce_18(text) == text


@given(st.text(alphabet="abcABC123", min_size=15, max_size=15), st.text(alphabet="abcABC123", min_size=15, max_size=15))
@settings(max_examples=300, deadline=None)
def test_ids_that_differ_only_in_case_still_differ_when_case_is_folded(one: str, other: str) -> None:
    assert (one == other) == (salesforce_18(one).casefold() == salesforce_18(other).casefold())


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("https://www.Example.com/path?q=1", "example.com"),
        ("HTTP://example.com:8080", "example.com"),
        ("www.example.co.uk", "example.co.uk"),
        ("example.com?utm=1", "example.com"),
        ("https://user:secret@shop.example.com/x@y", "shop.example.com"),
        ("ann@firm.example", "firm.example"),
        (" Example.COM. ", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("http://www.BÜCHER.example/", "xn--bcher-kva.example"),
        ("https://example.com#team", "example.com"),
        ("localhost", ""),
        ("our web shop", ""),
        ("Acme, Inc.", ""),
        ("", ""),
        ("ä" * 80 + ".example", ""),
    ],
)
def test_a_web_domain_is_what_two_spellings_of_one_site_share(text: str, domain: str) -> None:
    assert web_domain(text) == domain


def test_links_are_followed_to_the_end_of_their_chain() -> None:
    assert follow({"a": "b", "b": "c", "x": "c"}) == {"a": "c", "b": "c", "x": "c"}
    assert follow({}) == {}


@pytest.mark.parametrize("links", [{"a": "b", "b": "a"}, {"a": "a"}, {"z": "a", "a": "b", "b": "c", "c": "a"}])
def test_links_in_a_circle_are_refused_with_the_ids(links: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"merges run in a circle: .*a.* -> ") as refused:
        follow(links)
    assert "a" in str(refused.value)


@given(st.dictionaries(st.integers(0, 30), st.integers(0, 30), max_size=20))
@settings(max_examples=200, deadline=None)
def test_every_chain_that_ends_ends_at_an_id_that_stays(links: dict[int, int]) -> None:
    named = {f"n{one}": f"n{other}" for one, other in links.items() if one < other}  # rising: no circle
    ends = follow(named)
    assert ends.keys() == named.keys()
    assert not set(ends.values()) & named.keys()
    assert all(ends[one] == ends.get(other, other) for one, other in named.items())
