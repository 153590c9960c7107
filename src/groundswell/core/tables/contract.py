"""The contracts of the canonical tables: every column with its kind, its meaning and its privacy class.

A table is a set of *versions* of facts. Each version carries the ENVELOPE; the columns below it are the table's own.
The contracts are the one home of column names: readers type cells by them, the lake takes its schema from them,
signals are checked against them, and the reference in docs/ is generated from them.

Kinds and their types: text, word (closed list), id (an own id), email, domain, country (ISO 3166-1 alpha-2),
currency (ISO 4217), bool, date, instant (UTC, microseconds), int, money decimal(20,4), number decimal(28,8),
share (percent) decimal(9,2), list (sorted texts).
Classes: o open, b business-confidential, p about a person, i names a person, t another company's data.
"""

from dataclasses import dataclass

KINDS = {
    "text", "word", "id", "email", "domain", "country", "currency", "bool", "date", "instant", "int",
    "money", "number", "share", "list",
}  # fmt: skip
DECIMALS = {"money": (20, 4), "number": (28, 8), "share": (9, 2)}
"""Precision and scale of the exact kinds. A cell with more decimals than its column holds is refused, not rounded."""


@dataclass(frozen=True)
class Column:
    """One column of a table. `together` names the group that must come from one source's row (amount, currency)."""

    name: str
    kind: str
    meaning: str
    required: bool = False
    private: str = "b"
    words: tuple[str, ...] = ()
    refers: str = ""
    together: str = ""
    open_words: bool = False
    """True where a word outside the list is kept under its own name (`association:...`) instead of `other`."""
    fallback: str = ""
    """The word that stands for an empty cell, where canon names one ("`active` when unsaid")."""
    positive: bool = False
    """True for a number that divides: 0 and what is below it are refused."""


@dataclass(frozen=True)
class Table:
    """One canonical table.

    `identity` is the column that holds the own id in the current view (empty: rows have no identity across sources).
    `occurred` names the column whose day is `occurred_on`; where it is empty the day the key was first known stands in.
    """

    name: str
    prefix: str
    meaning: str
    columns: tuple[Column, ...]
    identity: str = ""
    occurred: str = ""
    key: tuple[str, ...] = ()
    """Columns that name a row of a table without identity; an id is built of them where the source has none."""

    def column(self, name: str) -> Column:
        """The own column of that name; KeyError when there is none."""
        return self._by_name[name]

    @property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the own columns, in contract order (the order of the row hash)."""
        return tuple(column.name for column in self.columns)


ENVELOPE: tuple[Column, ...] = (
    Column(
        "own_id", "id", "our id of this fact: prefix and 20 hex digits of SHA-256(source, object, external_id)", True
    ),
    Column("occurred_on", "date", "business day on which it happened or began, home zone; empty: first known day"),
    Column("occurred_at", "instant", "the moment, where the source knows one"),
    Column("known_at", "instant", "first moment at which we could have known this version", True),
    Column("known_by", "word", "who dated it", True, words=("arrival", "source", "absence")),
    Column("changed_at", "instant", "the source's own modification stamp"),
    Column("source", "text", "the system it came from", True),
    Column("object", "text", "the source's kind of thing; part of the identity", True),
    Column("external_id", "text", "id in that source, spelled as the source spells it", True),
    Column("row_hash", "text", "SHA-256 of the own columns in contract order, and of when", True),
    Column("load_id", "text", "which load brought it", True),
    Column("landing", "text", "SHA-256 of the kept file", True),
    Column("line", "int", "line of the kept file on which the row begins", True),
    Column("deleted", "bool", "true on a version that records a deletion", True),
    Column(
        "mention",
        "bool",
        "true where another object's file only names it: such a version fills, never overwrites",
        True,
    ),
)

_STAGE = ("open", "won", "lost")
_ROLES = ("sourced", "influenced", "resold", "assisted", "implemented", "referred", "distributed", "managed")
_EVIDENCE = ("manual", "crm_field", "registration", "campaign", "activity", "overlap", "claim")
_POPULATIONS = ("customer", "open_deal", "prospect")
ROLES = _ROLES
"""Parts a partner can have in a deal; each is a yes/no column of the deals that signals read."""


def _c(name: str, kind: str, meaning: str, required: bool = False, private: str = "b", **more: object) -> Column:
    return Column(name, kind, meaning, required, private, **more)  # type: ignore[arg-type]


def _ref(name: str, table: str, meaning: str, required: bool = False, private: str = "b") -> Column:
    return Column(name, "id", meaning, required, private, refers=table)


def _money(amount: str, currency: str, meaning: str, required: bool = False) -> tuple[Column, Column]:
    return (
        Column(amount, "money", meaning, required, together=amount),
        Column(currency, "currency", f"currency of {amount}", required, together=amount),
    )


_ALL = (
    Table("organisations", "o", "companies and public bodies, in any role", identity="organisation_id", columns=(
        _c("name", "text", "name as written", True, "o"),
        _c("is_partner", "bool", "plays the partner role", True),
        _c("is_customer", "bool", "buys or may buy", True),
        _c("domain", "domain", "web domain, a match key; never a free-mail domain", private="o"),
        _c("country", "country", "country of the head office", private="o"),
        _c("industry", "text", "the vendor's own list", private="o"),
        _c("employees_low", "int", "people, lower end of the size band", private="o", together="employees"),
        _c("employees_high", "int", "people, upper end of the size band", private="o", together="employees"),
        _c("duns", "text", "D-U-N-S number, nine digits", private="o"),
        _ref("parent_id", "organisations", "owning organisation"),
        _c("home_currency", "currency", "currency it trades in"),
        _c("tags", "list", "free labels"),
        _c("created_on", "date", "created in the source"),
    ), occurred="created_on"),
    Table("people", "p", "people at partners, at accounts and with us", identity="person_id", columns=(
        _ref("organisation_id", "organisations", "employer; `vendor:self` for our own people", True),
        _c("side", "word", "whom the person works for", True, words=("partner", "account", "ours")),
        _c("email", "email", "e-mail, lower case", private="i"),
        _c("full_name", "text", "display only, never a key", private="i"),
        _c("is_manager", "bool", "ours: holds a book of partners", private="p"),
        _c("last_sign_in_on", "date", "portal, where no activity rows come", private="p"),
        _c("left_on", "date", "last day at the organisation", private="p"),
        _c("consent_contact", "bool", "may be contacted", private="p"),
        _c("consent_share", "bool", "may be named to another company", private="p"),
        _c("created_on", "date", "created in the source"),
    ), occurred="created_on"),
    Table("tiers", "t", "the named steps of a programme", key=("program", "tier", "valid_from"), columns=(
        _c("program", "text", "programme's short name", True, "o", fallback="default"),
        _c("tier", "text", "name of the tier", True, "o"),
        _c("rank", "int", "1 = lowest; empty when the source has no order", private="o"),
        _c("valid_from", "date", "first day of the edition; empty: the day it was first known", private="o"),
        _c("valid_to", "date", "last day of the edition", private="o"),
    ), occurred="valid_from"),
    Table("memberships", "m", "one partner in one programme", key=("partner_id", "program", "valid_from"), columns=(
        _ref("partner_id", "organisations", "the partner", True),
        _c("program", "text", "programme's short name", True, fallback="default"),
        _c("valid_from", "date", "first day; empty: the day it was first known"),
        _c("valid_to", "date", "last day"),
        _c("partner_type", "word", "what the partner does", True, words=(
            "isv", "si", "msp", "reseller", "var", "distributor", "referral", "marketplace", "other"), fallback="other"),
        _c("status", "word", "state of the membership", True, words=(
            "applicant", "onboarding", "active", "suspended", "terminated", "other"), fallback="active"),
        _c("region", "text", "the vendor's own list"),
        _c("tier", "text", "tier held"),
        _c("pending_tier", "text", "tier recorded and not applied", together="pending"),
        _c("pending_since", "date", "since when", together="pending"),
        _c("held_until", "date", "tier is not lowered before the day after"),
        _ref("manager_id", "people", "partner manager, one of our people", private="p"),
        _c("joined_on", "date", "first joined"),
    ), occurred="valid_from"),
    Table("deals", "d", "leads, opportunities and referrals", identity="deal_id", columns=(
        _c("kind", "word", "what it is", True, words=("lead", "opportunity", "referral"), fallback="opportunity"),
        _c("name", "text", "name of the deal", True),
        _ref("account_id", "organisations", "the customer"),
        _c("stage", "text", "label or internal id as the source has it", True, together="stage"),
        _c("stage_class", "word", "what the stage means", True, words=_STAGE, together="stage"),
        *_money("amount", "currency", "amount in the deal's currency; empty is unknown"),
        _c("amount_home", "money", "amount in home currency, converted or declared", together="home"),
        _c("home_rate_on", "date", "day of the rate", together="home"),
        _c("home_basis", "word", "who converted or declared", words=("source", "rate"), together="home"),
        _c("probability", "share", "the source's own"),
        _c("recurring_month", "money", "monthly recurring part"),
        _c("product", "text", "product line"),
        _c("type", "word", "kind of business", words=("new", "expansion", "renewal", "other")),
        _c("lead_source", "text", "often the only trace of partner sourcing"),
        _c("created_on", "date", "created in the source"),
        _c("close_on", "date", "planned, or actual once closed"),
        _c("closed_on", "date", "day it became won or lost; empty: close_on of a closed deal"),
        _c("fiscal_label", "text", "as printed by the source; never recomputed"),
        _ref("owner_id", "people", "our seller", private="p"),
        _c("lost_reason", "text", "as written"),
        _ref("converted_from", "deals", "lead that became this deal"),
        _c("group_key", "text", "several rows are one piece of business; empty: the deal itself"),
        _c("last_activity_on", "date", "last activity the source records"),
    ), occurred="created_on"),
    Table("deal_stages", "g", "every change of stage", key=("deal_id", "entered_at"), columns=(
        _ref("deal_id", "deals", "the deal", True),
        _c("entered_at", "instant", "moment of the change", True),
        _c("stage", "text", "label as written", True),
        _c("stage_class", "word", "what the stage means", True, words=_STAGE),
        _c("amount", "money", "amount at that moment"),
    ), occurred="entered_at"),
    Table("touches", "h", "a partner's recorded part in something", columns=(
        _c("subject_kind", "word", "what was touched", True, words=("deal", "subscription", "activity", "account")),
        _ref("subject_id", "*", "the thing itself", True),
        _ref("partner_id", "organisations", "the partner", True),
        _c("role", "word", "which part", True, words=_ROLES, fallback="assisted", open_words=True),
        _c("is_primary", "bool", "at most one per subject"),
        _c("share_pct", "share", "share of the money"),
        _c("evidence", "word", "how we know", True, words=_EVIDENCE),
        _c("confidence", "share", "only when matched, not stated"),
        _c("starts_on", "date", "first day of the part"),
        _c("ends_on", "date", "last day of the part"),
    ), occurred="starts_on", key=("subject_kind", "subject_id", "partner_id", "role", "starts_on")),
    Table("registrations", "r", "a partner's claim to a deal", identity="registration_id", columns=(
        _ref("partner_id", "organisations", "who registers", True),
        _c("customer_name", "text", "as the partner wrote it", True),
        _c("customer_domain", "domain", "as the partner wrote it"),
        _c("key_domain", "domain", "domain fixed at submission"),
        _ref("account_id", "organisations", "matched account; empty: that of the matched deal"),
        _ref("deal_id", "deals", "matched deal"),
        _c("state", "word", "state of the claim", True, words=(
            "draft", "submitted", "under_review", "pending_approval", "approved", "closed", "cancelled")),
        _c("closure", "word", "required when closed", words=(
            "rejected", "duplicate", "converted", "incomplete", "expired", "withdrawn")),
        _c("submitted_at", "instant", "moment of submission", True),
        _c("decided_at", "instant", "moment of the decision"),
        _c("expires_on", "date", "last day of protection"),
        _c("kind", "text", "new_business, renewal, ..."),
        *_money("amount", "currency", "estimate"),
        _ref("decided_by", "people", "who decided", private="p"),
        _c("reason", "text", "reason of the decision"),
    ), occurred="submitted_at"),
    Table("subscriptions", "s", "who uses what", identity="subscription_id", columns=(
        _ref("account_id", "organisations", "the customer", True),
        _c("product", "text", "the product", True),
        _c("sku", "text", "article number"),
        _c("quantity", "number", "paid seats", together="seats"),
        _c("active_units", "number", "seats in use last month", together="seats"),
        *_money("recurring_month", "currency", "monthly recurring amount"),
        _c("started_on", "date", "first day", True),
        _c("ended_on", "date", "last day"),
        _c("status", "word", "state", True, words=("trial", "active", "suspended", "ended"), fallback="active"),
    ), occurred="started_on"),
    Table("activities", "a", "something that happened at a time", columns=(
        _c("type", "text", "portal_login, email_replied, meeting, training_completed, ...", True),
        _ref("partner_id", "organisations", "partner concerned", private="p"),
        _ref("account_id", "organisations", "account concerned", private="p"),
        _ref("person_id", "people", "person concerned", private="p"),
        _ref("deal_id", "deals", "deal concerned", private="p"),
        _c("channel", "text", "portal, email, lms, ..."),
        _c("value", "number", "score, minutes, rating"),
        _c("data", "text", "what else came, JSON; not reachable from signals", private="i"),
    )),
    Table("credentials", "c", "proof of learning held by a person", identity="credential_id", columns=(
        _ref("person_id", "people", "who holds it", True, "p"),
        _c("code", "text", "what is held", True, "p"),
        _c("kind", "word", "kind of proof", True, "p", words=(
            "certificate", "accreditation", "badge", "course", "other"), fallback="certificate"),
        _c("level", "text", "associate, professional, ...", private="p"),
        _c("status", "word", "as the source says; dates decide", True, "p", words=(
            "active", "maintenance_due", "expired", "revoked", "other"), fallback="active"),
        _c("issued_on", "date", "first day", True, "p"),
        _c("expires_on", "date", "last day included", private="p"),
        _c("score", "share", "result in percent", private="p"),
        _c("issuer", "text", "who issued it", private="o"),
        _c("evidence_url", "text", "where it can be verified", private="i"),
    ), occurred="issued_on"),
    Table("funds", "f", "one step in the life of marketing money or a reward", identity="fund_id", columns=(
        _c("kind", "word", "which step", True, words=("budget", "allocation", "request", "approval", "claim", "payment")),
        *_money("amount", "currency", "amount of the step", True),
        _c("status", "word", "state", True, words=(
            "draft", "submitted", "approved", "rejected", "paid", "expired", "failed", "cancelled")),
        _ref("partner_id", "organisations", "the partner"),
        _ref("parent_id", "funds", "step it follows"),
        _c("activity", "text", "what it pays for"),
        _c("campaign", "text", "campaign"),
        _c("starts_on", "date", "first day"),
        _c("ends_on", "date", "last day"),
        _c("created_on", "date", "created in the source", True),
        _ref("decided_by", "people", "never the person who asked", private="p"),
    ), occurred="created_on"),
    Table("readings", "n", "a number another system worked out", columns=(
        _ref("partner_id", "organisations", "partner it is about"),
        _ref("account_id", "organisations", "account it is about"),
        _c("kind", "text", "consumed_revenue, csat, nps, ...", True),
        _c("segment", "text", "region, product, workload"),
        _c("period_from", "date", "first day", True),
        _c("period_to", "date", "last day", True),
        _c("value", "number", "the number", True),
        _c("unit", "text", "unit of the number"),
        _c("currency", "currency", "currency, where it is money"),
    ), occurred="period_to", key=("partner_id", "account_id", "kind", "segment", "period_from", "period_to")),
    Table("links", "l", "two ids that are one thing, from a day", key=("from_id",), columns=(
        _ref("from_id", "organisations", "the id that gives way", True),
        _ref("into_id", "organisations", "the id that stays", True),
        _c("how", "word", "who says so", True, words=("source", "shared_id", "domain", "person")),
        _c("compared", "text", "what was compared"),
    )),
    Table("overlaps", "v", "accounts that a partner knows too, as a sharing agreement shows them", columns=(
        _ref("partner_id", "organisations", "the partner", True, "t"),
        _ref("account_id", "organisations", "the account, ours", True, "t"),
        _c("day", "date", "first day; empty: the day it was first known", private="t"),
        _c("our_population", "word", "what the account is to us", True, "t", words=_POPULATIONS),
        _c("their_population", "word", "what the account is to the partner", True, "t", words=(*_POPULATIONS, "other")),
        _c("matched_on", "word", "what the two records have in common", True, "t", words=("domain", "name", "id")),
        _c("their_owner", "text", "who looks after it at the partner", private="t"),
    ), occurred="day", key=("partner_id", "account_id", "day")),
    Table("fx_rates", "x", "what one unit of home currency is worth", key=("rates", "currency", "day"), columns=(
        _c("rates", "text", "which table of rates: `spot`, or a programme's own such as `hubspot 2024-25`", True, "o",
           fallback="spot"),
        _c("currency", "currency", "currency of the amounts", True, "o"),
        _c("day", "date", "first day of the rate", True, "o"),
        _c("per_home", "number", "units of `currency` for one unit of home currency: amount / per_home is the amount in "
           "home currency", True, "o", positive=True),
    ), occurred="day"),
    Table("fiscal_periods", "y", "quarters, or months of quarters, of a fiscal calendar", key=("calendar", "starts_on"), columns=(
        _c("calendar", "text", "name of the calendar", True, "o", fallback="default"),
        _c("starts_on", "date", "first day", True, "o"),
        _c("ends_on", "date", "last day", True, "o"),
        _c("year", "int", "name of the fiscal year", True, "o"),
        _c("quarter", "int", "quarter of the fiscal year, from 1", True, "o"),
        _c("month", "int", "month of the fiscal year, where a row is a month", private="o"),
        _c("label", "text", "as people write it", private="o"),
    )),
)  # fmt: skip

TABLES: dict[str, Table] = {table.name: table for table in _ALL}
"""Every canonical table that can be loaded, by name."""

WITHHELD = frozenset(name for name, table in TABLES.items() if any(column.private == "t" for column in table.columns))
"""Tables of another company's data (class t): nothing that is shown or written out has rows of them."""

ANY_OF: dict[str, tuple[str, ...]] = {
    "activities": ("partner_id", "account_id", "person_id", "deal_id"),
    "readings": ("partner_id", "account_id"),
}
"""Tables of which at least one of these columns must be there."""
