"""Addresses and files that nobody's browser sends: each is answered, none breaks a page."""

import base64
import json
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from groundswell.engine.home import Home
from groundswell.records.runs import PublishedPartner

SignedIn = Callable[[str], Client]


def _cursor(*said: object) -> str:
    return base64.b64encode(json.dumps(said).encode(), altchars=b"-_").decode().rstrip("=")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/data/quarantine/?from=²", 200),
        ("/data/quarantine/?from=" + "9" * 400, 200),
        ("/data/loads/?before=²", 200),
        ("/data/loads/?before=" + "9" * 400, 200),
        ("/find/?q=" + "a" * 60_000, 200),
        ("/partners/?q=" + "a" * 60_000, 200),
        ("/partners/?order=coverage&at=" + _cursor("coverage", int("9" * 400), 1, False, 0), 400),
        ("/partners/?order=name&at=" + _cursor("name", "\ud800", 1, False, 0), 400),
        ("/partners/PARTNER/lines/L000001/" + "9" * 400 + "/", 404),
    ],
)
def test_an_address_that_nobody_gave_out_is_answered(address: str, status: int, signed_in: SignedIn) -> None:
    partner = PublishedPartner.objects.first()
    assert partner is not None
    answer = signed_in("administrator").get(address.replace("PARTNER", partner.partner_id))
    assert answer.status_code == status
    assert b"Remove the folder" not in answer.content


def test_a_fault_of_policy_is_named_where_a_page_needs_it(signed_in: SignedIn, instance: Home) -> None:
    own = instance.path / "policy" / "limits.toml"
    own.parent.mkdir(exist_ok=True)
    own.write_text("[bounds]\nexport_rows = 1\n", "utf-8")
    browser = signed_in("operations")
    browser.raise_request_exception = False
    try:
        answer = browser.get("/data/jobs/")
    finally:
        own.unlink()
    assert answer.status_code == 500
    assert "limits.toml" in answer.content.decode()
    assert browser.get("/data/jobs/").status_code == 200


@pytest.mark.parametrize("name", ["draft", ".draft"])
def test_a_file_called_as_our_own_folders_is_drafted_like_any_other(name: str, signed_in: SignedIn) -> None:
    browser = signed_in("operations")
    for _ in range(2):
        file = SimpleUploadedFile(name, b"Kunde;Land\nAcme;DE\nBeta;NO\n", content_type="text/csv")
        answer = browser.post("/data/mappings/propose/", {"file": file}, follow=True)
        assert answer.status_code == 200
        assert "Kunde" in answer.content.decode()
