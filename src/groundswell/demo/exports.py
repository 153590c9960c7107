"""Four messy exports of a made vendor (Kestrel Data) and its partners, with the truth about each partner planted.

Kinds: *active* sells; *ready* is certified and engaged and has no more than open deals; *quiet* won deals one to two
years ago, is certified, and stopped 5 to 9 months ago; *visible* opens and answers mailings, can do nothing and sells
nothing, so whoever counts noise ranks it high; *new* joined under 120 days ago; *thin* is only a row of the list:
the sources cover it and say nothing of it, so what they count is zero and what they do not bring is unknown.

The mess is what real exports bring: byte order mark, semicolons, decimal commas, day-first dates, CRLF, one name for
two partners, one person's e-mail in two spellings, days without a time, repeated rows, credentials that call
themselves active after their last day. Facts end with `until`; the plans `close_on` of open deals and `expires_on`
may lie later. Rows wrong on purpose are always extra rows, so that setting them aside changes no partner's truth.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

HEADERS = {
    "partners.csv": [
        "partner_id",
        "partner_name",
        "domain",
        "country",
        "partner_type",
        "region",
        "status",
        "tier",
        "joined_on",
        "manager_email",
        "parent_partner_id",
    ],
    "deals.csv": [
        "deal_id",
        "partner_id",
        "role",
        "customer_name",
        "customer_domain",
        "stage",
        "stage_class",
        "amount",
        "currency",
        "created_on",
        "close_on",
        "type",
        "share_pct",
    ],
    "people_credentials.csv": [
        "partner_id",
        "person_email",
        "person_name",
        "credential_code",
        "level",
        "status",
        "issued_on",
        "expires_on",
    ],
    "activities.csv": ["partner_id", "occurred_at", "type", "person_email", "channel", "deal_id", "value", "source_id"],
}
WRONG_ON_PURPOSE = {"partners.csv": 1, "deals.csv": 2, "people_credentials.csv": 1, "activities.csv": 0}

OF_48 = {"active": 5, "ready": 9, "quiet": 8, "visible": 7, "new": 4}  # the rest is thin
PEOPLE = {"active": (4, 8), "ready": (4, 8), "quiet": (3, 6), "visible": (2, 5), "new": (1, 3), "thin": (0, 0)}
PER_MONTH = {  # channel, then how often a month, in the order of OF_48
    "portal_login": ("portal", (4, 3, 3, 0.3, 3)),
    "meeting": ("video", (1.5, 1, 0.8, 0, 0.7)),
    "email_sent": ("email", (1.5, 1, 1, 4, 1.5)),
    "email_replied": ("email", (1.2, 0.8, 0.6, 0, 0.5)),
    "call": ("phone", (0.8, 0.5, 0.5, 0, 0)),
    "asset_opened": ("portal", (1.2, 0.8, 0.6, 6, 1.5)),
    "training_started": ("lms", (0.4, 0.6, 0.4, 0, 0.6)),
    "training_completed": ("lms", (0.3, 0.5, 0.3, 0, 0)),
    "campaign_response": ("web", (0.2, 0.1, 0.1, 2, 0)),
}
CODES = [("KD-FOUND", "associate"), ("KD-SALES", "associate"), ("KD-IMPL", "professional"), ("KD-ARCH", "expert")]
COUNTRIES = [
    ("DE", "EMEA", "GmbH", "+01:00"),
    ("NO", "EMEA", "AS", "+01:00"),
    ("GB", "EMEA", "Ltd", "+00:00"),
    ("US", "AMER", "Inc.", "-05:00"),
    ("SG", "APAC", "Pte. Ltd.", "+08:00"),
]
STEMS = [
    "Rönnebäck & Söhne",
    "Kühnvogt",
    "Fjord & Fell",
    "Ångermark",
    "Thistlebeck",
    "Järvikallio",
    "Oakmere",
    "Grønnvik",
    "Brightwater",
    "Süderholm",
    "Larkspur & Finch",
    "Weißbachtal",
    "Saltmarsh",
    "Pinecrest",
]
TRADES = ["Beratung", "Systems", "Consulting", "Digital", "Cloud", "Data", "Solutions", "Networks"]
FIRST = ["Anna", "Björn", "Chloé", "Dario", "Elif", "Frøya", "Grace", "Iñigo", "Jörg", "Liam", "Mei", "Päivi", "Ravi"]
LAST = ["Abel", "Brückner", "Castellan", "Dahlström", "Fürst", "Gråberg", "Jokela", "Lind", "Moreau", "Nwosu", "Tan"]
BUYERS = [
    "Acorn, Inc.",
    "Bärenfels AG",
    "Clearbrook Foods",
    "Dunmore & Daughters",
    "Eastgate Rail",
    "Fenwright Tools",
    "Glasshaus Optik",
    "Harbour Mutual",
    "Kelpworks",
    "Möbler Lindö",
    "Moorland Energy",
    "Orchard Freight",
]

Row = list[str]


@dataclass(frozen=True)
class Partner:
    """One partner, the kind planted in it, and its people as (name, e-mail)."""

    partner_id: str
    kind: str
    name: str
    domain: str
    country: tuple[str, str, str, str]
    joined_on: date
    people: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Deal:
    """One deal; `parts` are (partner_id, role, share_pct), one export row each. Without `cents` the amount is empty."""

    stage_class: str
    stage: str
    cents: int | None
    created_on: date
    close_on: date
    kind: str
    buyer: str
    parts: tuple[tuple[str, str, str], ...]


def make(folder: Path, partners: int = 48, seed: int = 7, until: date = date(2026, 10, 31)) -> dict[str, str]:
    """Write the four exports into `folder`; return the planted kind of each partner by its id.

    Equal arguments give equal bytes. Raises ValueError when `partners` is below 1.
    """
    if partners < 1:
        raise ValueError("a programme needs at least one partner")
    rng = Random(seed)
    cast = _cast(rng, partners, until)
    deals = _deals(rng, cast, until)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, "partners.csv", _partner_rows(rng, cast), encoding="utf-8-sig")
    _write(folder, "deals.csv", _deal_rows(deals, cast, until), delimiter=";", line_end="\r\n")
    _write(folder, "people_credentials.csv", _credential_rows(rng, cast, until))
    _write(folder, "activities.csv", _activity_rows(rng, cast, deals, until))
    return {partner.partner_id: partner.kind for partner in cast}


def wrong_on_purpose(partners: int) -> dict[str, int]:
    """Rows a take-in must quarantine, by file: a lone partner has nobody to disagree with about a deal's amount."""
    return WRONG_ON_PURPOSE | ({} if partners > 1 else {"deals.csv": 0})


def _write(
    folder: Path, name: str, rows: Iterable[Row], encoding: str = "utf-8", delimiter: str = ",", line_end: str = "\n"
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=line_end).writerows([HEADERS[name], *rows])
    (folder / name).write_bytes(text.getvalue().encode(encoding))


def _ascii(text: str) -> str:
    """Spell for a domain or an e-mail: `Kühn & Weiß` becomes `kuhn-weiss`."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("ø", "o").replace("ß", "ss"))
    letters = plain.encode("ascii", "ignore").decode()
    return "-".join("".join(sign if sign.isalnum() else " " for sign in letters).split())


def _kinds(partners: int) -> list[str]:
    """Each kind at least once while partners last, so that even the smallest set has someone who sells."""
    kinds: list[str] = []
    for kind, of_48 in OF_48.items():
        kinds += [kind] * min(partners - len(kinds), max(1, round(of_48 * partners / 48)))
    return kinds + ["thin"] * (partners - len(kinds))


def _cast(rng: Random, partners: int, until: date) -> list[Partner]:
    kinds = _kinds(partners)
    rng.shuffle(kinds)
    firms = [(stem, trade) for stem in STEMS for trade in TRADES][1:]
    rng.shuffle(firms)
    firms.insert(0, (STEMS[0], TRADES[0]))  # umlauts and an ampersand stand in every set, however small
    cast: list[Partner] = []
    for place, kind in enumerate(kinds):
        again, firm = divmod(place, len(firms))
        country = COUNTRIES[0] if place == 0 else rng.choice(COUNTRIES)
        title = " ".join(firms[firm]) + (f" {again + 1}" if again else "")
        domain = f"{_ascii(title)}.example"
        # older partners joined before their oldest credential could have been issued
        joined = until - timedelta(days=rng.randint(30, 119) if kind == "new" else rng.randint(1300, 3500))
        drawn = rng.sample([(first, last) for first in FIRST for last in LAST], rng.randint(*PEOPLE[kind]))
        people = tuple((f"{first} {last}", f"{_ascii(first)}.{_ascii(last)}@{domain}") for first, last in drawn)
        cast.append(Partner(f"P-{place + 1:04d}", kind, f"{title} {country[2]}", domain, country, joined, people))
    if partners > 1:
        cast[-1] = replace(cast[-1], name=cast[0].name)  # one name, two firms: only a careless matcher merges them
    return cast


def _partner_rows(rng: Random, cast: list[Partner]) -> list[Row]:
    """By id; the first partner comes twice, the second time typed with a day that no calendar has."""
    rows = []
    for place, partner in enumerate(cast):
        thin = partner.kind == "thin"
        rows.append(
            [
                partner.partner_id,
                partner.name,
                "" if thin and place % 2 else f"https://www.{partner.domain}/" if place % 6 == 4 else partner.domain,
                partner.country[0],
                rng.choice(["si", "isv", "msp", "reseller", "var", "distributor", "referral"]),
                partner.country[1],
                "onboarding" if partner.kind == "new" else "active",
                "" if thin or partner.kind == "new" else rng.choice(["registered", "silver", "gold"]),
                "" if thin and place % 3 == 0 else partner.joined_on.isoformat(),
                "" if thin else rng.choice(["ines.roth@kestrel.example", "Tom.Adeyemi@kestrel.example"]),
                cast[place - 10].partner_id if place % 11 == 10 else "",
            ]
        )
    rows.insert(1, [*rows[0][:8], "2025-02-30", *rows[0][9:]])
    return rows


def _deal(rng: Random, stage_class: str, created_on: date, days: int, *parts: tuple[str, str, str]) -> Deal:
    labels = {"won": ["Closed Won"], "lost": ["Closed Lost"], "open": ["Qualification", "Negotiation"]}
    return Deal(
        stage_class,
        rng.choice(labels[stage_class]),
        rng.randrange(400_000, 18_000_000, 12_550),
        created_on,
        created_on + timedelta(days=days),
        rng.choice(["new", "new", "expansion", "renewal"]),
        rng.choice(BUYERS),
        parts,
    )


def _active_deals(rng: Random, seller: Partner, second: Partner, until: date) -> list[Deal]:
    """Three open, the others closed within 18 months; every fourth shared, with a ready partner only while open."""
    deals = []
    for place in range(rng.randint(8, 15)):
        stage_class = "open" if place < 3 else "lost" if place % 4 == 0 else "won"
        created = until - timedelta(days=rng.randint(5, 90) if place < 3 else rng.randint(150, 530))
        role = rng.choice(["sourced", "sourced", "resold", "resold", "assisted"])
        parts = [(seller.partner_id, role, "")]
        if place % 4 == 1 and second != seller and (place < 3 or second.kind == "active"):
            parts = [(seller.partner_id, "sourced", "60"), (second.partner_id, "influenced", "40")]
        deals.append(_deal(rng, stage_class, created, rng.randint(30, 120), *parts))
    # in each column of dates some cell must prove that the day comes first, in the smallest set too
    deals[3] = replace(
        deals[3], created_on=deals[3].created_on.replace(day=17), close_on=deals[3].close_on.replace(day=23)
    )
    return deals


def _deals(rng: Random, cast: list[Partner], until: date) -> list[Deal]:
    """In order of creation; the first two open ones have no amount, so a sum of pipeline is only "at least"."""
    ring = [partner for partner in cast if partner.kind == "active"]
    if len(ring) == 1:
        ring += [partner for partner in cast if partner.kind == "ready"][:1]
    deals: list[Deal] = []
    for partner in cast:
        if partner.kind == "active":
            deals += _active_deals(rng, partner, ring[(ring.index(partner) + 1) % len(ring)], until)
        for _ in range(rng.randint(0, 1 if partner in ring else 2) if partner.kind == "ready" else 0):
            created = until - timedelta(days=rng.randint(5, 90))
            deals.append(_deal(rng, "open", created, rng.randint(30, 120), (partner.partner_id, "sourced", "")))
        for _ in range(rng.randint(2, 4) if partner.kind == "quiet" else 0):
            created = until - timedelta(days=rng.randint(490, 725))
            deals.append(_deal(rng, "won", created, rng.randint(30, 120), (partner.partner_id, "resold", "")))
    deals.sort(key=lambda deal: deal.created_on)
    for place in [place for place, deal in enumerate(deals) if deal.stage_class == "open"][:2]:
        deals[place] = replace(deals[place], cents=None)
    return deals


def _deal_rows(deals: list[Deal], cast: list[Partner], until: date) -> list[Row]:
    """A row for each deal and partner; one won row twice; last the deal on whose amount two partners disagree."""
    rows = [row for number, deal in enumerate(deals, 1) for row in _rows_of(number, deal)]
    won = next(place for place, row in enumerate(rows) if row[6] == "won")
    rows.insert(won, rows[won])
    pair = sorted(cast, key=lambda partner: [*OF_48, "thin"].index(partner.kind))[:2]
    if len(pair) == 2:
        parts = ((pair[0].partner_id, "sourced", "60"), (pair[1].partner_id, "influenced", "40"))
        disputed = Deal("open", "Negotiation", 4_800_000, until, until + timedelta(days=60), "new", BUYERS[0], parts)
        ours, theirs = _rows_of(len(deals) + 1, disputed)
        theirs[7] = "45.000,00"
        rows += [ours, theirs]
    return rows


def _rows_of(number: int, deal: Deal) -> list[Row]:
    whole, cents = divmod(deal.cents or 0, 100)
    amount = "" if deal.cents is None else f"{whole:,}".replace(",", ".") + f",{cents:02d}"
    return [
        [
            f"D-{number:05d}",
            partner_id,
            role,
            deal.buyer,
            f"{_ascii(deal.buyer)}.example",
            deal.stage,
            deal.stage_class,
            amount,
            "USD",
            f"{deal.created_on:%d.%m.%Y}",
            f"{deal.close_on:%d.%m.%Y}",
            deal.kind,
            share,
        ]
        for partner_id, role, share in deal.parts
    ]


def _credential_rows(rng: Random, cast: list[Partner], until: date) -> list[Row]:
    """By day of issue; each fourth person's has run out, whatever its status says; the first row again without code."""
    rows: list[Row] = []
    for partner in (partner for partner in cast if partner.kind in ("active", "ready", "quiet")):
        for place, (name, email) in enumerate(partner.people):
            # the first person of a partner holds two, under two spellings of one e-mail
            spellings = [email] if place else [email, email.title()]
            for spelling, (code, level) in zip(spellings, rng.sample(CODES, len(spellings)), strict=True):
                run_out = place % 4 == 3
                newest = 280 if partner.kind == "quiet" else 30
                issued = until - timedelta(days=rng.randint(800, 1200) if run_out else rng.randint(newest, 650))
                expires = "" if code == "KD-FOUND" and not run_out else (issued + timedelta(days=730)).isoformat()
                status = "expired" if run_out and rng.random() < 0.5 else "active"
                rows.append([partner.partner_id, spelling, name, code, level, status, issued.isoformat(), expires])
    rows.sort(key=lambda row: row[6])
    return [rows[0], [*rows[0][:3], "", *rows[0][4:]], *rows[1:]]


def _activity_rows(rng: Random, cast: list[Partner], deals: list[Deal], until: date) -> list[Row]:
    """By moment, some of them twice with the same `source_id`, as a feed does that is read with an overlap."""
    own = {
        partner.partner_id: [
            (deal.created_on, f"D-{number:05d}")
            for number, deal in enumerate(deals, 1)
            if partner.partner_id in [part[0] for part in deal.parts]
        ]
        for partner in cast
    }
    rows = [row for partner in cast for row in _activities_of(rng, partner, own[partner.partner_id], until)]
    rows.sort(key=lambda row: row[1])
    rows = [[*row, f"A-{number:06d}"] for number, row in enumerate(rows, 1)]
    repeated = set(rng.sample(range(len(rows)), 3 + len(rows) // 500))
    return [row for place, row in enumerate(rows) for _ in range(2 if place in repeated else 1)]


def _activities_of(rng: Random, partner: Partner, deals: list[tuple[date, str]], until: date) -> list[Row]:
    if partner.kind == "thin":
        return []
    end = until - timedelta(days=rng.randint(152, 272)) if partner.kind == "quiet" else until
    start = max(partner.joined_on, until - timedelta(days=548))
    rows: list[Row] = []
    for kind, (channel, per_month) in PER_MONTH.items():
        often = per_month[list(OF_48).index(partner.kind)]
        for _ in range(int(often * (end - start).days / 30 + rng.random())):
            day = end - timedelta(days=rng.randint(0, (end - start).days))
            # late evenings west of Greenwich are the next day in UTC: never on the last day
            hour = 23 if day < end and rng.random() < 0.03 else rng.randint(8, 17)
            moment = f"{day}T{hour:02d}:{rng.randint(0, 59):02d}:00{partner.country[3]}"
            known = [deal_id for created_on, deal_id in deals if created_on <= day and kind in ("meeting", "call")]
            rows.append(
                [
                    partner.partner_id,
                    day.isoformat() if rng.random() < 0.12 else moment,
                    kind,
                    rng.choice(partner.people)[1],
                    channel,
                    rng.choice(known) if known else "",
                    f"{rng.randint(55, 100) / 100:.2f}" if kind == "training_completed" else "",
                ]
            )
    return rows
