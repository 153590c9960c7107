"""Between the values of single partners and columns of many, so that tests can hold one against the other."""

import datetime as dt
from collections.abc import Sequence
from fractions import Fraction
from math import isclose

import numpy as np

from groundswell.core.declare import Scalar, Value
from groundswell.core.signals.columns import Columns, Ends


def gathered(values: Sequence[Value]) -> Columns:
    """The values of one signal, a partner each, as columns."""
    ends = _ends([one.low for one in values]), _ends([one.high for one in values])
    if object in (ends[0].dtype, ends[1].dtype):
        ends = tuple(np.array([getattr(one, end) for one in values], dtype=object) for end in ("low", "high"))  # type: ignore[assignment]
    return Columns.of(*ends, np.array([one.applies for one in values], dtype=bool))


def _ends(ends: Sequence[Scalar | None]) -> Ends:
    if any(isinstance(end, (str, dt.date)) for end in ends):
        return np.array(ends, dtype=object)
    return np.array([np.nan if end is None else float(end) for end in ends])  # type: ignore[arg-type]


def one_of(columns: Columns, place: int) -> Value:
    """The value of one partner, as far as floats say it."""
    ends = [_exact(end[place]) for end in (columns.low, columns.high)]
    return Value(ends[0], ends[1], bool(columns.applies[place]), columns.available)


def _exact(end: object) -> Scalar | None:
    if isinstance(end, float):
        return None if np.isnan(end) else Fraction(end)
    return end  # type: ignore[return-value]


def alike(said: object, exact: object) -> bool:
    """Whether an end or a figure is the exact one but for rounding; open, None and nan are the same."""
    if said is None or (isinstance(said, float) and np.isnan(said)):
        return exact is None
    if isinstance(exact, (Fraction, bool, int)):
        return isclose(float(said), float(exact), rel_tol=1e-9, abs_tol=1e-9)  # type: ignore[arg-type]
    return said == exact
