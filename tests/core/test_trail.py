"""The chain of the trail: whatever is done to it afterwards is found, and where."""

import copy
import random
from typing import Any

import pytest

from groundswell.core.trail import FIRST, breaks, chained, sealed

KEY, ENTRIES, TAMPERINGS = "a key that nobody else has", 60, 1000
Chain = list[tuple[int, str, dict[str, Any]]]
Heads = dict[int, tuple[str, str]]


def trail() -> tuple[Chain, Heads]:
    entries, before = [], FIRST
    for number in range(1, ENTRIES + 1):
        content = {
            "number": number,
            "who": f"p{number % 5}@example.com",
            "verb": "assigned",
            "said": {"partners": ["o_1", "o_2"]},
        }
        before = chained(KEY, before, content)
        entries.append((number, before, content))
    return entries, {number: (digest, sealed(KEY, number, digest)) for number, digest, _ in entries}


def flip(chain: Chain, chance: random.Random) -> int:
    at = chance.randrange(len(chain))
    number, digest, content = chain[at]
    field = chance.choice(["who", "verb", "said", "digest", "number"])
    if field == "digest":
        place = chance.randrange(64)
        chain[at] = (
            number,
            digest[:place] + chance.choice([c for c in "0123456789abcdef" if c != digest[place]]) + digest[place + 1 :],
            content,
        )
    elif field == "number":
        chain[at] = (number, digest, {**content, "number": number + 1})
    else:
        chain[at] = (number, digest, {**content, field: f"{content[field]}!"})
    return number


def cut_out(chain: Chain, chance: random.Random) -> int:
    at = chance.randrange(len(chain) - 1)
    return chain.pop(at)[0]


def cut_off(chain: Chain, chance: random.Random) -> int:
    at = chance.randrange(1, len(chain))
    number = chain[at][0]
    del chain[at:]
    return number


def swap(chain: Chain, chance: random.Random) -> int:
    one, other = sorted(chance.sample(range(len(chain)), 2))
    (n1, d1, c1), (n2, d2, c2) = chain[one], chain[other]
    chain[one], chain[other] = (n1, d2, {**c2, "number": n1}), (n2, d1, {**c1, "number": n2})
    return n1


def insert(chain: Chain, chance: random.Random) -> int:
    at = chance.randrange(len(chain))
    number, digest, content = chain[at]
    chain[at:] = [
        (number, digest, {**content, "who": "intruder"}),
        *((n + 1, d, {**c, "number": n + 1}) for n, d, c in chain[at:]),
    ]
    return number


def rewrite(chain: Chain, chance: random.Random) -> int:
    """All anew from one place on, by somebody without our key."""
    at = chance.randrange(len(chain))
    before = chain[at - 1][1] if at else FIRST
    for place in range(at, len(chain)):
        number, _, content = chain[place]
        said = {**content, "who": "intruder"}
        before = chained("another key", before, said)
        chain[place] = (number, before, said)
    return chain[at][0]


WAYS = (flip, cut_out, cut_off, swap, insert, rewrite)


def test_a_trail_that_nobody_touched_is_whole() -> None:
    chain, heads = trail()
    assert list(breaks(KEY, chain, heads)) == []
    assert list(breaks(KEY, [], {})) == []


def test_a_thousand_tamperings_are_found_and_located(capsys: pytest.CaptureFixture[str]) -> None:
    chance, whole, located = random.Random(4), trail(), 0
    missed = []
    for number in range(TAMPERINGS):
        chain = copy.deepcopy(whole[0])
        way = WAYS[number % len(WAYS)]
        at = way(chain, chance)
        found = list(breaks(KEY, chain, whole[1]))
        if not found:
            missed.append(way.__name__)
        located += bool(found) and found[0].number == at
    with capsys.disabled():
        print(f"\ntamperings {TAMPERINGS} / found {TAMPERINGS - len(missed)} / located {located}")
    assert missed == []
    assert located == TAMPERINGS


def test_an_end_that_is_cut_off_shows_against_the_heads_only() -> None:
    chain, heads = trail()
    assert list(breaks(KEY, chain[:-3], {})) == []
    assert (
        str(next(breaks(KEY, chain[:-3], heads)))
        == f"entry {ENTRIES - 2}: missing: {ENTRIES} entries were written, and {ENTRIES - 3} are there"
    )


def test_heads_that_are_not_ours_are_said() -> None:
    chain, heads = trail()
    assert [
        one.number for one in breaks(KEY, chain, {**heads, 7: (heads[7][0], sealed("another", 7, heads[7][0]))})
    ] == [7]
