"""Modules and folders are named by what they hold; names that could hold anything are not used."""

from tests.house.reading import SOURCE, modules

EMPTY = {
    "utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "managers", "service", "services", "handler",
    "handlers", "processor", "processors", "constants", "types",
}  # fmt: skip


def test_no_module_or_folder_has_an_empty_name() -> None:
    names = {part for path in modules(SOURCE) for part in path.relative_to(SOURCE).with_suffix("").parts}
    assert names & EMPTY == set()
