"""Which format a file is, and which of its headers stands for which field. By aliases, never by position."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

from groundswell.connectors.files import heads, kinds, read
from groundswell.connectors.files.mapping import FileMap, Mapping_
from groundswell.connectors.files.read import Layout, Refused
from groundswell.core.conditions import nearest
from groundswell.core.tables.identity import normal_form
from groundswell.core.tables.proof import Question


class LacksHeaders(Refused):
    """A mapping of one's own names headers that the file does not have."""


class NoFormat(Refused):
    """No row at the start of the file is the header of a known format."""


@dataclass(frozen=True)
class Recognised:
    """A file whose format is known: how it is laid out, and the header behind every field."""

    mapping: Mapping_
    file: FileMap
    layout: Layout
    header_of: dict[str, str]
    """Field (or header of a mapping file, as the mapping spells it) -> header of this file."""
    unmapped: tuple[str, ...]
    missing: tuple[str, ...]
    questions: tuple[Question, ...] = field(default=())


def normal(header: str) -> str:
    """A header as it is compared: NFKC, trimmed, case folded, spaces collapsed, a trailing `*` dropped."""
    return " ".join(normal_form("NFKC", header).casefold().split()).removesuffix("*").strip()


def recognise(
    path: Path, name: str, mappings: Iterable[Mapping_], declared: str, limits: dict[str, int], sheet: str = ""
) -> Recognised:
    """The format of a file. `name` is the file's own name, `declared` a code page, `sheet` a sheet that a person named.

    Raises Refused when no format fits or the file holds no text; questions that only a person can answer are returned.
    """
    fitting = [
        (mapping, kind) for mapping in mappings for kind in mapping.files if not kind.match or fnmatch(name, kind.match)
    ]
    kind = kinds.kind_of(path, limits)
    if not kind and name.lower().endswith(_WORKBOOKS) and read.is_binary(path):
        raise Refused("no workbook can be read from it; save it again in the spreadsheet, or as CSV (UTF-8)")
    encoding = kind or read.encoding(path, declared)
    if not fitting:
        raise Refused(f"no [[file]] of the mapping matches the name '{name}'")
    if kind:
        return _whole(_best(_headed(list(kinds.layouts(path, kind, sheet, limits)), fitting, limits, heads.head)))
    layouts = [replace(one, encoding=encoding) for one in heads.text_layouts(path, encoding or "iso-8859-1", limits)]
    try:
        best = _whole(_best(_headed(layouts, fitting, limits, heads.text_head)))
    except NoFormat as error:
        if read.is_web_page(path):
            raise Refused(read.WEB_PAGE) from error
        raise
    if encoding:
        return best
    return _with_code_page(path, best)


def _whole(found: Recognised) -> Recognised:
    """A mapping names its headers; one that is not there would empty a column in silence, so it is refused."""
    if found.file.aliases or not found.missing:
        return found
    asked = " (did you mean '{}'?)"
    near = [f"'{name}'{nearest(name, found.layout.headers, asked)}" for name in found.missing]
    raise LacksHeaders(
        f"the mapping names columns that the file does not have: {', '.join(near)}. Correct it, or leave them out."
    )


_WORKBOOKS = (".xls", ".xlsx", ".xlsm")
Candidate = tuple[tuple[Mapping_, FileMap], Layout]


def _headed(
    layouts: Sequence[Layout],
    kinds: list[tuple[Mapping_, FileMap]],
    limits: dict[str, int],
    head: Callable[[Sequence[Layout]], Layout | None],
) -> list[Candidate]:
    """Every way in which a row that could be the header fits a format. Raises NoFormat, with the likeliest header."""
    found: list[Candidate] = []
    first: tuple[str, ...] = ()
    for layout in layouts:
        _width(layout.headers, limits)
        first = max(first, layout.headers if layout.header_line < 2 else (), key=len)
        known = {normal(header) for header in layout.headers} if len(layout.headers) > 1 else set()
        found += [(kind, replace(layout, footer=kind[1].footer)) for kind in kinds if _fits(kind[1], known)]
    if not found:
        likeliest = head(layouts)
        raise NoFormat(_unknown(likeliest or Layout("", "", 1, first), [kind for _, kind in kinds]))
    return found


def _width(headers: Iterable[str], limits: dict[str, int]) -> None:
    width = len(tuple(headers))
    if width > limits["columns"]:
        raise Refused(f"the file has {width:,} columns, more than {limits['columns']:,}; export fewer columns")


def _fits(kind: FileMap, headers: set[str]) -> bool:
    if kind.aliases:
        return all(any(normal(alias) in headers for alias in kind.aliases[field]) for field in kind.required)
    needed = {normal(header) for row in kind.rows for header in row.headers()}
    return len(needed & headers) * 2 > len(needed)


def _hits(kind: FileMap, headers: Iterable[str]) -> int:
    known = {normal(header) for header in headers}
    wanted = list(kind.aliases.values()) if kind.aliases else [(h,) for h in kind.headers()]
    return sum(any(normal(alias) in known for alias in aliases) for aliases in wanted)


def _best(found: list[Candidate]) -> Recognised:
    ranked = sorted(found, key=lambda one: (-_hits(one[0][1], one[1].headers), one[1].header_line))
    (mapping, kind), layout = ranked[0]
    rivals = {one[0][1].name for one in ranked if _hits(one[0][1], one[1].headers) == _hits(kind, layout.headers)}
    questions = []
    if len(rivals) > 1:
        questions.append(Question("format", "the headers fit several formats equally well", tuple(sorted(rivals))))
    header_of, doubled = _headers(kind, layout.headers)
    questions += [
        Question(name, f"the headers {' and '.join(map(repr, both))} both stand for it", tuple(both))
        for name, both in doubled
    ]
    unmapped = tuple(header for header in layout.headers if header not in header_of.values())
    missing = tuple(sorted((set(kind.aliases) or kind.headers()) - set(header_of)))
    return Recognised(mapping, kind, layout, header_of, unmapped, missing, tuple(questions))


def _headers(kind: FileMap, headers: tuple[str, ...]) -> tuple[dict[str, str], list[tuple[str, list[str]]]]:
    by_name: dict[str, list[str]] = {}
    for header in headers:
        by_name.setdefault(normal(header), []).append(header)
    wanted = kind.aliases or {header: (header,) for header in kind.headers()}
    found: dict[str, str] = {}
    doubled: list[tuple[str, list[str]]] = []
    for field_, aliases in wanted.items():
        standing = [header for alias in aliases for header in by_name.get(normal(alias), [])]
        if len(standing) > 1:
            doubled.append((field_, standing))
        if standing:
            found[field_] = standing[0]
    return found, doubled


_DRAFT = (
    " Have a mapping drafted: groundswell take-in --propose FILE (docs/how-to/take-in-an-unknown-export.md), or give one "
    "with --mapping (docs/reference/mapping.md)."
)
_LOOKED_AT = 100
"""Headers of an unknown file in which a misspelt one is looked for: each is compared with every alias."""


def _unknown(layout: Layout, kinds: list[FileMap]) -> str:
    headers = layout.headers
    best = max(kinds, key=lambda kind: (_hits(kind, headers), -len(_lacking(kind, headers))))
    aliases = [alias for names in best.aliases.values() for alias in names]
    shown = ", ".join(header if len(header) <= 60 else f"{header[:57]}..." for header in headers[:12])
    where = f" of line {layout.header_line}" if layout.header_line > 1 else ""
    said = f"no known format has these headers{where}: {shown}{', ...' if len(headers) > 12 else ''}."
    lacking = _lacking(best, headers)
    if lacking and _hits(best, headers):
        known = set(map(normal, aliases))
        near = ((h, nearest(normal(h), known, "{}")) for h in headers[:_LOOKED_AT] if normal(h) not in known)
        hint = next((f" '{header}' looks like '{alias}'." for header, alias in near if alias), "")
        said += f" Nearest: {best.name}, which also needs {', '.join(lacking)}.{hint}"
    return said + _DRAFT


def _lacking(kind: FileMap, headers: Iterable[str]) -> list[str]:
    have = set(map(normal, headers))
    return [field for field in sorted(kind.required) if have.isdisjoint(map(normal, kind.aliases[field]))]


def _with_code_page(path: Path, found: Recognised) -> Recognised:
    """Text that is no UTF-8: the code page of the format, unless the bytes speak against it; else a question."""
    page = found.file.code_page
    pages = ("cp1252", "iso-8859-1", "iso-8859-15", "cp1250", "shift_jis", "utf-8")
    questions = found.questions
    if not page:
        questions = (Question("encoding", "the file is not UTF-8 and does not say what it is", pages), *questions)
    elif read.has_control_marks(path, page):
        said = f"the file is not UTF-8, and as {page} it holds control characters"
        questions = (Question("encoding", said, pages), *questions)
    return replace(found, layout=replace(found.layout, encoding=page), questions=questions)
