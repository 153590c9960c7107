"""Mappings in pages: a draft decided column by column, tried on rows, and only then used and kept."""

import tomllib
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from groundswell.connectors.files import edited
from groundswell.engine.home import Home
from groundswell.records.jobs import Job
from groundswell.records.loads import Load
from groundswell.runs import jobs

Browser = Callable[[str], Client]
DEALS = """Opp;Kunde;Phase;Betrag;Angelegt;Partner
A1;Acme;Gewonnen;1.200,50;03.04.2025;Nord GmbH
A2;Beta;Verloren;900,00;13.04.2025;Süd AG
A3;Gamma;In Arbeit;10,00;01.05.2025;Nord GmbH
""".encode()


@pytest.fixture
def operations(signed_in: Browser) -> Client:
    return signed_in("operations")


@pytest.fixture
def draft(operations: Client) -> str:
    """The address of a draft for a file that no format fits."""
    answer = operations.post("/data/mappings/propose/", {"file": SimpleUploadedFile("orders.csv", DEALS)})
    assert answer.status_code == 302
    return str(answer.url)


def field(page: Client, address: str, table: str, column: str) -> str:
    """The name of the field of a column, the first of its table."""
    rows = next(one for one in page.get(address).context["rows"] if one.table == table)
    return next(line.name for line in (*rows.lines, *rows.left) if line.column == column)


def decided(page: Client, address: str) -> dict[str, str]:
    """Every field of the form, with what only a person can decide."""
    context = page.get(address).context
    found = {f"source.{key}": value for key, value in context["source"].items()}
    for rows in context["rows"]:
        for line in rows.lines:
            found |= {line.name: line.header or line.word} if not line.fixed else {}
            found |= {name: word for name, _, word in line.words}
    found |= {"source.name": "shop", "source.currency": "EUR", field(page, address, "touches", "role"): "sourced"}
    stage = next(line for rows in context["rows"] for line in rows.lines if line.column == "stage_class")
    return found | {next(name for name, label, _ in stage.words if label == "In Arbeit"): "open"}


def test_from_an_unknown_file_to_a_kept_mapping(instance: Home, operations: Client, draft: str) -> None:
    page = operations.get(draft)
    assert "3 places to decide" in page.content.decode()
    assert page.context["draft"].samples["Kunde"] == ["Acme", "Beta", "Gamma"]
    assert operations.post(f"{draft}take-in/").status_code == 422
    refused = operations.post(draft, {"act": "try", "lines": "2"})
    assert refused.status_code == 422
    assert not Job.objects.exists()

    tried = operations.post(draft, {**decided(operations, draft), "act": "try", "lines": "2,4,99"})
    assert tried.status_code == 200
    trial = tried.context["trial"]
    assert ([one.line for one in trial.tried], trial.absent) == ([2, 4], (99,))
    made = {row.table: row.columns for row in trial.tried[1].rows}
    assert (made["deals"]["stage_class"], made["deals"]["amount"], made["deals"]["currency"]) == ("open", "10", "EUR")
    assert not Load.objects.filter(source="shop").exists()
    assert not (instance.path / "sources").exists()

    answer = operations.post(f"{draft}take-in/", {"exported_at": "2026-10-31"})
    job = Job.objects.get()
    assert answer.url == f"/data/jobs/{job.pk}/"
    assert jobs.work.func(job.pk) == "done", Job.objects.get().log
    load = Load.objects.get(source="shop")
    assert (load.rows_in, load.loaded, str(load.known_at.date())) == (3, 3, "2026-10-31")
    kept = operations.get("/data/mappings/")
    assert [one.source for one in kept.context["mappings"]] == ["shop"]
    later = SimpleUploadedFile("orders-2.csv", DEALS + b"A4;X;Verloren;1,00;02.05.2025;Nord GmbH\n")
    again = operations.post("/data/mappings/propose/", {"file": later}, follow=True)
    assert "fits the mapping kept for source shop" in again.content.decode()


def test_a_draft_that_was_changed_since_is_not_used(operations: Client, draft: str) -> None:
    said = decided(operations, draft)
    operations.post(draft, {**said, "act": "try", "lines": "2"})
    operations.post(draft, {**said, "source.name": "other", "act": "keep"})
    answer = operations.post(f"{draft}take-in/")
    assert answer.status_code == 422
    assert "Try the mapping on some rows first" in answer.content.decode()
    assert not Job.objects.exists()


def test_a_row_that_would_be_set_aside_says_why(operations: Client, draft: str) -> None:
    said = {**decided(operations, draft), field(operations, draft, "deals", "created_on"): "Kunde"}
    tried = operations.post(draft, {**said, "act": "try", "lines": "2"})
    assert "Would be set aside" in tried.content.decode()


def test_columns_are_taken_out_and_filled(operations: Client, draft: str) -> None:
    said = {
        **decided(operations, draft),
        field(operations, draft, "touches", "starts_on"): "",
        field(operations, draft, "deals", "product"): "Phase",
    }
    operations.post(draft, {**said, "act": "keep"})
    rows = {one.table: one for one in reversed(operations.get(draft).context["rows"])}
    assert "starts_on" not in [line.column for line in rows["touches"].lines]
    assert {line.column: line.header for line in rows["deals"].lines}["product"] == "Phase"


def test_the_text_is_edited_whole_and_what_is_no_toml_is_refused(operations: Client, draft: str) -> None:
    text = operations.get(draft).context["draft"].text
    assert operations.post(draft, {"act": "text", "text": "[source"}).status_code == 422
    assert operations.get(draft).context["draft"].text == text
    operations.post(
        draft, {"act": "text", "text": text.replace('name = "orders"', 'name = "mine"').replace("\n", "\r\n")}
    )
    assert operations.get(draft).context["source"]["name"] == "mine"


@pytest.mark.parametrize("lines", ["", "two", "1,2,", "-1", ",".join(map(str, range(30)))])
def test_lines_that_are_none_are_refused(operations: Client, draft: str, lines: str) -> None:
    assert operations.post(draft, {"act": "try", "lines": lines}).status_code == 422


def test_a_file_that_holds_no_rows_is_refused(operations: Client) -> None:
    assert operations.post("/data/mappings/propose/", {"file": SimpleUploadedFile("x.csv", b"\n")}).status_code == 422
    assert operations.post("/data/mappings/propose/").status_code == 422


def test_whose_drafts(signed_in: Browser, draft: str) -> None:
    assert signed_in("leader").get(draft).status_code == 403
    assert signed_in("administrator").get(draft).status_code == 200
    assert signed_in("operations").get(f"/data/mappings/{'0' * 64}/").status_code == 404
    assert signed_in("operations").get("/data/mappings/..%2f..%2fsecrets/").status_code == 404


def test_what_is_written_again_says_the_same(operations: Client, draft: str) -> None:
    text = operations.get(draft).context["draft"].text
    assert tomllib.loads(edited.edited(text, {})) == tomllib.loads(text)
