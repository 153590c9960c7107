"""Conditions: pieces of SQL that can only be true, false or unknown.

One small language for rows (`where` of a signal, `only_if` of a mapping) and for signals (`only_if` of a line). The
text is parsed with SQLGlot and then walked: what is not named here is refused before any data is touched. Literals
become bound parameters; the tree, not the text, is rendered for the engine in use.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import lru_cache
from typing import Protocol, TypeVar

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from groundswell.core.declare import Value

DIALECT = "duckdb"
FAMILY = {
    "text": "text", "word": "text", "id": "text", "email": "text", "domain": "text", "country": "text",
    "currency": "text", "money": "number", "number": "number", "share": "number", "int": "number",
    "date": "date", "instant": "date", "bool": "yes/no", "list": "list",
}  # fmt: skip
"""The kinds of columns, as far as a comparison cares."""

_COMPARE: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_FUNCTIONS = "days, has, lower"
_DEEPEST = 40


class BadCondition(ValueError):  # noqa: N818 - the glossary's word for it
    """What is wrong with a condition, said so that it can be mended."""


@dataclass(frozen=True)
class Condition:
    """A checked condition. `names` are the columns or signals it reads."""

    text: str
    tree: exp.Expr
    names: frozenset[str]

    @property
    def wants(self) -> str:
        """The name that is only asked to be there (`name is not null`); "" when the condition asks anything else."""
        inner = self.tree.this if isinstance(self.tree, exp.Not) else None
        return inner.this.name if isinstance(inner, exp.Is) and isinstance(inner.this, exp.Column) else ""

    @property
    def names_the_day(self) -> bool:
        """Whether it asks for the day of the assessment."""
        return any(node.name == "as_of" for node in self.tree.find_all(exp.Column, exp.Placeholder))

    def words(self, column: str) -> frozenset[str]:
        """The texts that `column` is compared with by `=` or `in`: the kinds of row that the condition needs."""
        found: set[str] = set()
        for node in self.tree.find_all(exp.EQ, exp.In):
            plain = isinstance(node.this, exp.Column) and node.this.name == column
            if plain and not node.find_ancestor(exp.Not):
                others = node.expressions if isinstance(node, exp.In) else [node.expression]
                found |= {other.this for other in others if isinstance(other, exp.Literal) and other.is_string}
        return frozenset(found)


def parse(text: str, kinds: Mapping[str, str], lists: Mapping[str, tuple[str, ...]] | None = None) -> Condition:
    """Check a condition over columns of these kinds ({name: kind}); `lists` are the lists that `$name` may mean.

    Raises BadCondition with what is wrong and what to write instead.
    """
    return _parsed(text, tuple(sorted(kinds.items())), tuple(sorted((lists or {}).items())))


@lru_cache(maxsize=4096)
def _parsed(text: str, known: tuple[tuple[str, str], ...], given: tuple[tuple[str, tuple[str, ...]], ...]) -> Condition:
    """The same texts are asked for wherever a signal is: a condition is checked once, and nobody changes its tree."""
    kinds, lists = dict(known), dict(given)
    for mark in ("--", "/*", ";"):
        if mark in text:
            raise BadCondition(f"'{mark}' is not allowed in a condition")
    if text.count("(") + text.casefold().count("not ") > _DEEPEST:
        raise BadCondition(f"a condition may nest at most {_DEEPEST} deep")
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect=DIALECT) if tree is not None]
        if len(trees) != 1:
            raise BadCondition("write exactly one condition")
        tree = _with_lists(trees[0], lists)
        again = sqlglot.parse_one(tree.sql(dialect=DIALECT), dialect=DIALECT)
    except SqlglotError as error:
        raise BadCondition(f"'{text}' is not a condition: {str(error).splitlines()[0]}") from error
    if again != tree:
        raise BadCondition(f"'{text}' does not read back as itself; write it more plainly")
    if any("." in name for name in kinds):
        tree = tree.transform(_of_a_score)
    names: set[str] = set()
    _check(tree, kinds, names)
    return Condition(text, tree, frozenset(names))


def _of_a_score(node: exp.Expr) -> exp.Expr:
    """A figure of a score (`readiness.total`) as one name; only conditions over scores know such names."""
    if isinstance(node, exp.Column) and node.table:
        return exp.Column(this=exp.to_identifier(".".join(part.name for part in node.parts), quoted=False))
    return node


def _with_lists(tree: exp.Expr, lists: Mapping[str, tuple[str, ...]]) -> exp.Expr:
    for node in list(tree.find_all(exp.Placeholder)):
        name = str(node.this)
        if name not in lists:
            raise BadCondition(f"there is no list '${name}'{_nearest(name, lists)}")
        holder = node.parent
        if not isinstance(holder, exp.In) or node is holder.this:
            raise BadCondition(f"'${name}' is a list; write: column in ${name}")
        if not lists[name]:
            raise BadCondition(f"the list '${name}' is empty")
        words = [exp.Literal.string(word) for word in lists[name]]
        holder.set("expressions", [item for item in holder.expressions if item is not node] + words)
        if holder.args.get("field") is node:
            holder.set("field", None)
    return tree


def nearest(name: str, known: Iterable[str], said: str) -> str:
    """The known word nearest to a misspelt one, put into `said`; "" when none is near."""
    close = get_close_matches(name, list(known), n=1)
    return said.format(close[0]) if close else ""


def _nearest(name: str, known: Iterable[str]) -> str:
    return nearest(name, known, ". Did you mean '{}'?")


def _check(node: exp.Expr, kinds: Mapping[str, str], names: set[str]) -> None:
    """Walk a yes/no expression; anything outside the language is refused."""
    if isinstance(node, (exp.And, exp.Or)):
        _check(node.this, kinds, names)
        _check(node.expression, kinds, names)
    elif isinstance(node, (exp.Not, exp.Paren)):
        _check(node.this, kinds, names)
    elif type(node) in _COMPARE:
        _same(node.this, node.expression, kinds, names)
    elif isinstance(node, exp.Between):
        _same(node.this, node.args["low"], kinds, names)
        _same(node.this, node.args["high"], kinds, names)
    elif isinstance(node, exp.In) and node.expressions:
        for item in node.expressions:
            _same(node.this, item, kinds, names)
    elif isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        _operand(node.this, kinds, names)
    elif isinstance(node, exp.Like):
        _like(node, kinds, names)
    elif isinstance(node, exp.Anonymous) and str(node.this).lower() == "has":
        _has(node, kinds, names)
    elif isinstance(node, exp.Boolean):
        return
    elif isinstance(node, exp.Column):
        if _operand(node, kinds, names)[0] != "yes/no":
            raise BadCondition(f"'{node.name}' is not a yes/no column; compare it with something")
    else:
        raise BadCondition(f"'{node.sql(dialect=DIALECT)}' is not allowed. Allowed functions: {_FUNCTIONS}")


def _operand(node: exp.Expr, kinds: Mapping[str, str], names: set[str]) -> tuple[str, str]:
    """(family, text) of one side of a comparison."""
    text = node.sql(dialect=DIALECT)
    if isinstance(node, exp.Paren):
        return _operand(node.this, kinds, names)
    if isinstance(node, exp.Column) and not node.table:
        if node.name == "as_of":
            return "date", text
        if node.name not in kinds:
            raise BadCondition(f"unknown name '{node.name}'{_nearest(node.name, kinds)}")
        names.add(node.name)
        return FAMILY.get(kinds[node.name], kinds[node.name]), text
    if isinstance(node, exp.Literal):
        return ("text" if node.is_string else "number"), text
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
        return "number", text
    if isinstance(node, exp.Boolean):
        return "yes/no", text
    if _is_date(node):
        return "date", text
    if isinstance(node, exp.Lower):
        if _operand(node.this, kinds, names)[0] != "text":
            raise BadCondition(f"'{text}': lower needs a text")
        return "text", text
    if isinstance(node, exp.Anonymous) and str(node.this).lower() == "days" and len(node.expressions) == 2:
        for side in node.expressions:
            if _operand(side, kinds, names)[0] != "date":
                raise BadCondition(f"'{text}': days needs two dates")
        return "number", text
    function = f"function {node.sql_name().lower()}" if isinstance(node, exp.Func) else f"'{text}'"
    raise BadCondition(f"'{text}': {function} is not allowed. Allowed: {_FUNCTIONS}")


def _is_date(node: exp.Expr) -> bool:
    if not (isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.to.is_type("date")):
        return False
    try:
        dt.date.fromisoformat(node.this.name)
    except ValueError as error:
        raise BadCondition(f"date '{node.this.name}' is not a day; write date '2026-01-31'") from error
    return True


def _same(left: exp.Expr, right: exp.Expr, kinds: Mapping[str, str], names: set[str]) -> None:
    (one, said), (two, other) = _operand(left, kinds, names), _operand(right, kinds, names)
    if one != two:
        hint = f" Write {right.name}." if (one, two) == ("number", "text") and right.name.isdigit() else ""
        raise BadCondition(f"compares a {one} ({said}) with a {two} ({other}).{hint}")


def _like(node: exp.Like, kinds: Mapping[str, str], names: set[str]) -> None:
    pattern = node.expression
    if _operand(node.this, kinds, names)[0] != "text" or not isinstance(pattern, exp.Literal):
        raise BadCondition("like compares a text with a text in quotes")
    word = pattern.name
    if word.count("%") > 1 or "_" in word or word == "%" or "%" in word[1:-1]:
        raise BadCondition(f"like '{pattern.name}': one % at the beginning or at the end, and no _")


def _has(node: exp.Anonymous, kinds: Mapping[str, str], names: set[str]) -> None:
    word = node.expressions[1] if len(node.expressions) == 2 else None
    if not (isinstance(word, exp.Literal) and word.is_string):
        raise BadCondition("has takes a list column and a word: has(account_tags, 'growth_market')")
    if _operand(node.expressions[0], kinds, names)[0] != "list":
        raise BadCondition(f"has: '{node.expressions[0].sql()}' is not a list column")


@lru_cache(maxsize=1024)
def parsed(text: str, kinds: frozenset[tuple[str, str]]) -> Condition:
    """`parse`, once for a condition of policy and not once for every partner. Raises as `parse` does."""
    return parse(text, dict(kinds))


# --------------------------------------------------------------------------------------------------------- to SQL


def to_tree(condition: Condition, parameters: dict[str, object], prefix: str) -> exp.Expr:
    """The condition as a tree in the portable subset; literals go to `parameters` under names with this prefix."""

    def bind(value: object) -> exp.Expr:
        name = f"{prefix}_{len(parameters)}"
        parameters[name] = value
        return exp.Placeholder(this=name)

    def portable(node: exp.Expr) -> exp.Expr:
        if _is_date(node):
            return bind(dt.date.fromisoformat(node.this.name))
        if isinstance(node, exp.Literal):
            return bind(node.name) if node.is_string else node
        if isinstance(node, exp.Column) and node.name == "as_of":
            return exp.Placeholder(this="as_of")
        if isinstance(node, exp.Anonymous) and str(node.this).lower() == "days":
            start, end = (side.transform(portable) for side in node.expressions)
            return exp.DateDiff(this=exp.cast(end, "date"), expression=exp.cast(start, "date"), unit=exp.var("DAY"))
        if isinstance(node, exp.Anonymous):
            column, word = (side.transform(portable) for side in node.expressions)
            return exp.ArrayContains(this=column, expression=word)
        return node

    return exp.paren(condition.tree.copy().transform(portable))


# ------------------------------------------------------------------------------------------------------ in Python

Lookup = Callable[[str], Value]
V = TypeVar("V")
S = TypeVar("S")


class Answering(Protocol[V, S]):
    """What the walk of a condition asks for: values (V) by name, and answers (S) to what is said of them."""

    def value(self, name: str) -> V:
        """The value of a name."""

    def literal(self, value: Value) -> V:
        """A value that is written in the condition."""

    def lowered(self, value: V) -> V:
        """A text in small letters; what is no text as it is."""

    def compared(self, operator: str, left: V, right: V) -> S:
        """The answer to =, <>, <, <=, > or >=."""

    def alike(self, value: V, pattern: str) -> S:
        """The answer to like."""

    def lacking(self, value: V) -> S:
        """The answer to `is null`: whether a value does not apply."""

    def plain(self, truth: bool) -> S:
        """The answer of `true` and `false`."""

    def negated(self, answer: S) -> S:
        """The answer to `not`."""

    def joined(self, decisive: bool, answers: list[S]) -> S:
        """Answers joined by `or` (decisive = True) or `and` (False): a decisive one decides, else the least certain."""


def answer(condition: Condition, by: Answering[V, S]) -> S:
    """The answer to a condition, worked out from the leaves of its tree up. Raises BadCondition where rows are needed."""
    return _answer(condition.tree, by)


def _answer(node: exp.Expr, by: Answering[V, S]) -> S:
    if isinstance(node, exp.Paren):
        return _answer(node.this, by)
    if isinstance(node, exp.Not):
        return by.negated(_answer(node.this, by))
    return by.negated(_plainly(node, by)) if node.args.get("negate") else _plainly(node, by)


def _plainly(node: exp.Expr, by: Answering[V, S]) -> S:
    """The answer of a node that is no negation."""
    if isinstance(node, (exp.And, exp.Or)):
        return by.joined(isinstance(node, exp.Or), [_answer(node.this, by), _answer(node.expression, by)])
    if isinstance(node, exp.Is):
        return by.lacking(_value(node.this, by))
    if isinstance(node, exp.Boolean):
        return by.plain(bool(node.this))
    if isinstance(node, exp.Column):
        return by.compared("=", by.value(node.name), by.literal(Value.of(True)))
    if isinstance(node, exp.In):
        return by.joined(True, [by.compared("=", _value(node.this, by), _value(item, by)) for item in node.expressions])
    if isinstance(node, exp.Between):
        middle = _value(node.this, by)
        ends = [("<=", node.args["high"]), (">=", node.args["low"])]
        return by.joined(False, [by.compared(sign, middle, _value(end, by)) for sign, end in ends])
    if isinstance(node, exp.Like):
        return by.alike(_value(node.this, by), node.expression.name)
    if type(node) in _COMPARE:
        return by.compared(_COMPARE[type(node)], _value(node.this, by), _value(node.expression, by))
    raise BadCondition(f"'{node.sql(dialect=DIALECT)}' can only be asked of rows")


def _value(node: exp.Expr, by: Answering[V, S]) -> V:
    if isinstance(node, exp.Paren):
        return _value(node.this, by)
    if isinstance(node, exp.Column) and node.name == "as_of":
        raise BadCondition("as_of can only be asked of rows")
    if isinstance(node, exp.Column):
        return by.value(node.name)
    if isinstance(node, exp.Lower):
        return by.lowered(_value(node.this, by))
    if isinstance(node, exp.Neg):
        return by.literal(Value.of(-Fraction(node.this.name)))
    if isinstance(node, exp.Boolean):
        return by.literal(Value.of(bool(node.this)))
    if _is_date(node):
        return by.literal(Value.of(dt.date.fromisoformat(node.this.name)))
    if isinstance(node, exp.Literal):
        return by.literal(Value.of(node.name if node.is_string else Fraction(node.name)))
    raise BadCondition(f"'{node.sql(dialect=DIALECT)}' can only be asked of rows")


def holds(condition: Condition, lookup: Lookup) -> bool | None:
    """Whether a condition over values holds: true on the whole range, false nowhere on it, else None (unknown).

    `is null` means "not applicable"; any other comparison with a value that does not apply is unmet.
    """
    said = answer(condition, _OfOne(lookup))
    return None if said is None else said is True


class Unmet:
    """A comparison with what does not apply: unmet, and so is its negation."""


UNMET = Unmet()
Said = bool | Unmet | None
"""An answer; None is unknown."""


@dataclass(frozen=True)
class _OfOne:
    """Answers over the values of one partner."""

    lookup: Lookup

    def value(self, name: str) -> Value:
        return self.lookup(name)

    def literal(self, value: Value) -> Value:
        return value

    def lowered(self, value: Value) -> Value:
        return lowered(value)

    def compared(self, operator: str, left: Value, right: Value) -> Said:
        return compared(operator, left, right)

    def alike(self, value: Value, pattern: str) -> Said:
        return alike(value, pattern)

    def lacking(self, value: Value) -> Said:
        return not value.applies

    def plain(self, truth: bool) -> Said:
        return truth

    def negated(self, answer: Said) -> Said:
        return not answer if isinstance(answer, bool) else answer

    def joined(self, decisive: bool, answers: list[Said]) -> Said:
        if any(one is decisive for one in answers):
            return decisive
        if any(one is None for one in answers):
            return None
        return UNMET if any(one is UNMET for one in answers) else not decisive


def lowered(value: Value) -> Value:
    """A text in small letters."""
    return Value.of(value.low.lower()) if isinstance(value.low, str) else value


def every(said: Iterable[bool | None]) -> bool | None:
    """Whether all of them hold: false as soon as one does not, unknown while one is; true of none."""
    found = list(said)
    return False if False in found else None if None in found else True


def some(said: Iterable[bool | None]) -> bool | None:
    """Whether one of them holds: true as soon as one does, unknown while one is; false of none."""
    found = list(said)
    return True if True in found else None if None in found else False


def alike(value: Value, pattern: str) -> Said:
    """Whether a text is like a pattern with one % at its beginning or its end, or none."""
    if not isinstance(value.low, str):
        return None if value.applies else UNMET
    word = pattern.strip("%")
    starts, ends = pattern.endswith("%"), pattern.startswith("%")
    return value.low.startswith(word) if starts else value.low.endswith(word) if ends else value.low == word


def compared(operator: str, left: Value, right: Value) -> Said:
    """Whether one range stands so to another: surely, surely not, unknown, or unmet where one does not apply."""
    if not (left.applies and right.applies):
        return UNMET
    if operator == "<>":
        equal = compared("=", left, right)
        return not equal if isinstance(equal, bool) else equal
    if operator in (">", ">="):
        return compared("<" if operator == ">" else "<=", right, left)
    if operator == "=":
        if left.known and right.known:
            return left.low == right.low
        apart = _surely(left.high, right.low, strict=True) or _surely(right.high, left.low, strict=True)
        return False if apart else None
    strict = operator == "<"
    if _surely(left.high, right.low, strict):
        return True
    return False if _surely(right.high, left.low, not strict) else None


def _surely(high: object, low: object, strict: bool) -> bool:
    """Whether everything up to `high` lies below everything from `low`; an open end (None) proves nothing."""
    if high is None or low is None:
        return False
    return bool(high < low if strict else high <= low)  # type: ignore[operator]


def names_in(text: str) -> frozenset[str]:
    """The names that a condition reads, checked or not; none when it cannot be read."""
    try:
        return frozenset(str(column.name) for column in sqlglot.parse_one(text, dialect=DIALECT).find_all(exp.Column))
    except SqlglotError:
        return frozenset()
