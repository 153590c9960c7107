"""Own ids and match keys: the same facts give the same ids in any order, on any machine."""

import hashlib
import unicodedata
from itertools import groupby
from typing import Literal

SEPARATOR = "\x1f"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
OUR_COMPANY = "vendor:self"
"""The organisation of our own people."""


def own_id(prefix: str, source: str, kind_of_thing: str, external_id: str) -> str:
    """Our id of a thing: prefix, underscore, first 20 hex digits of SHA-256(source, object, external_id).

    A match between two things is a link, never a new id, so this is never rewritten.
    """
    key = SEPARATOR.join((source, kind_of_thing, external_id))
    return f"{prefix}_{hashlib.sha256(key.encode()).hexdigest()[:20]}"


def own_id_sql(prefix: str, source: str, kind_of_thing: str, external_id: str) -> str:
    """The same in the engine, of SQL expressions of text; for columns in which hardly any id comes twice."""
    return f"'{prefix}_' || substr(sha256(concat_ws(chr(31), {source}, {kind_of_thing}, {external_id})), 1, 20)"


_LONG = 1000
_MARKS = 30


def normal_form(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    """The text in a normal form of Unicode.

    A long one with a letter under more than 30 marks, as no language has, stays as it stands: putting marks in order
    takes the square of their number. Source of the bound: UAX #15, Stream-Safe Text Format.
    """
    if len(text) > _LONG and any(
        marks and sum(1 for _ in run) > _MARKS for marks, run in groupby(text, lambda c: unicodedata.combining(c) > 0)
    ):
        return text
    return unicodedata.normalize(form, text)


def name_key(name: str) -> str:
    """Key of a thing that its source names but gives no id: `name:` and the NFKC case-folded name, spaces collapsed."""
    return "name:" + " ".join(normal_form("NFKC", name).casefold().split())


_NO_MARK = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ı": "i"})
"""Letters whose stroke or bond Unicode does not take apart."""


def plain_name(name: str) -> str:
    """A name as people type it who lack its letters: case-folded, without accents and strokes, spaces collapsed.

    For looking up only: two firms may be told apart by an accent.
    """
    apart = normal_form("NFKD", name.casefold())
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return " ".join(bare.translate(_NO_MARK).split())


def salesforce_18(record_id: str) -> str:
    """The 18-character form of a Salesforce id, which survives systems that fold case; other text as it is.

    Source: Salesforce, "Case-insensitive record ids": for each group of five characters, bit i is set where
    character i is A-Z; the three numbers are written with A-Z0-5.
    """
    if len(record_id) != 15 or not (record_id.isascii() and record_id.isalnum()):
        return record_id
    groups = (record_id[i : i + 5] for i in (0, 5, 10))
    return record_id + "".join(_SUFFIX[sum(1 << i for i, c in enumerate(group) if c.isupper())] for group in groups)


def web_domain(text: str) -> str:
    """A web domain as a match key: scheme, user, path, port and `www.` removed, lower case, punycode; "" if none."""
    host = (
        text.strip()
        .casefold()
        .split("://", 1)[-1]
        .split("/", 1)[0]
        .split("?", 1)[0]
        .split("#", 1)[0]
        .rsplit("@", 1)[-1]
    )
    host = host.split(":", 1)[0].strip(".").removeprefix("www.")
    if "." not in host or " " in host:
        return ""
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def follow(links: dict[str, str]) -> dict[str, str]:
    """Every id that gives way, with the id at the end of its chain of links.

    Raises ValueError naming the ids when links run in a circle: nobody could say which of them stays.
    """
    ends: dict[str, str] = {}
    for start in links:
        chain = [start]
        while chain[-1] in links:
            following = links[chain[-1]]
            if following in chain:
                raise ValueError("merges run in a circle: " + " -> ".join([*chain, following]))
            chain.append(following)
        ends[start] = chain[-1]
    return ends


def without_circles(links: list[tuple[str, str]]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Links, newest first, without those that would close a circle: the later word stands. And the ones left out."""
    kept: dict[str, str] = {}
    left_out = []
    for start, into in links:
        end = into
        while end in kept:
            end = kept[end]
        if end == start or start in kept:
            left_out.append((start, into))
        else:
            kept[start] = into
    return kept, left_out
