"""Damage that can be proven: what a spreadsheet or a wrong locale did to numbers on their way here."""

from collections.abc import Callable, Sequence

import pyarrow as pa

from groundswell.connectors.files.read import Batch, Broken, Refused
from groundswell.connectors.files.stage import Stager
from groundswell.core.tables.contract import TABLES
from groundswell.runs.staged import Staged

_AT_LEAST, _SHARE = 5, 0.8
"""So many amounts, and this share of those that changed, must have moved by one power of ten to prove damage."""


def check_places(stager: Callable[[], Stager], headers: Sequence[str], broken: Sequence[Broken]) -> None:
    """Raises Refused where rows that cannot be read could be read if their cells stood one column further.

    `stager` makes a fresh one, which reads the rows as the file's own would.
    """
    cells = {row.line: row.text.split(" | ") for row in broken[:_LOOKED_AT] if row.column}
    whole = {line: texts for line, texts in cells.items() if len(texts) == len(headers)}
    if len(whole) < _AT_LEAST or len(set(headers)) < len(headers):
        return
    for way, named in ((1, "right"), (-1, "left")):
        columns = {
            header: [texts[(at + way) % len(headers)] for texts in whole.values()] for at, header in enumerate(headers)
        }
        arrays = {header: pa.array(texts, pa.string()) for header, texts in columns.items()}
        _, wrong = stager().stage(Batch(list(headers), list(whole), arrays))
        if len(wrong) <= (1 - _SHARE) * len(whole):
            line, texts = next(iter(whole.items()))
            raise Refused(
                f"the cells stand one column to the {named} of their headers: in line {line}, '{texts[way % len(headers)]}' "
                f"belongs under {headers[0]}. {len(whole) - len(wrong)} of {len(whole)} rows that cannot be read as they stand "
                "can be read so. Put the header line right, or export it again"
            )


_LOOKED_AT = 200


def check(staged: Staged) -> None:
    """Raises Refused, with the proof, where amounts are those of before with the decimal point moved.

    Real amounts change one by one; a point that was taken for a mark of thousands moves all of them by the same power.
    """
    for table in staged.tables:
        if table not in staged.repeats:
            continue
        for column in (column.name for column in TABLES[table].columns if column.kind == "money"):
            moved = staged.engine.ask(
                f"""with before as (
                  select own_id, {column} as was, row_number() over (partition by own_id
                    order by coalesce(changed_at, known_at) desc, known_at desc, row_hash desc) as place
                  from {table}_versions where not mention and not deleted),
                changed as (
                  select s.external_id, s.line, b.was, s.{column} as now_, log10(cast(s.{column} / b.was as double)) as power
                  from compared_{table} as s join before as b on b.own_id = s.own_id and b.place = 1
                  where not s.mention and b.was <> 0 and s.{column} <> 0 and b.was <> s.{column} and s.{column} / b.was > 0),
                counted as (select *, count(*) over () as all_, count(*) over (partition by round(power, 9)) as alike from changed)
                select external_id, line, was, now_, power, all_, alike from counted
                where abs(power - round(power)) < 1e-9 and abs(power) between 1 and 6 and alike >= {_AT_LEAST}
                  and alike >= {_SHARE} * all_ order by line limit 3"""
            )
            if moved:
                times = 10 ** abs(round(float(str(moved[0]["power"]))))
                how = "times" if float(str(moved[0]["power"])) > 0 else "divided by"
                proof = "; ".join(
                    f"{row['external_id']} (line {row['line']}) was {row['was']}, is {row['now_']}" for row in moved
                )
                raise Refused(
                    f"{table}.{column}: {moved[0]['alike']} of {moved[0]['all_']} amounts that changed are those of before "
                    f"{how} {times:,}: a decimal point was taken for a mark of thousands, or the other way round. {proof}. "
                    "Export it again without a spreadsheet between; or, where this file is right and the earlier one was not, "
                    "answer with --answer 'FILE:moved=yes'"
                )
