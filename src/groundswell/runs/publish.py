"""Publishing a run: rows in chunks under an id that nobody reads yet, then one pointer moves."""

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import models, transaction
from django.db.models import Value

from groundswell.core.reason import reason
from groundswell.engine import durable
from groundswell.engine.home import Home
from groundswell.records.jobs import hold_fence
from groundswell.records.loads import after_the_latest
from groundswell.records.runs import Published, PublishedPartner, Run

CHUNK = 500
"""Rows a transaction: short enough that people's work never waits for a publish."""


def publish(home: Home, run_id: str, manifest: dict[str, Any], now: dt.datetime) -> Run:
    """Make a run that lies whole in its folder the one that everybody reads."""
    run, _ = Run.objects.get_or_create(
        run_id=run_id,
        defaults={
            "as_of": dt.date.fromisoformat(manifest["as_of"]),
            "policy_version": manifest["policy_version"],
            "created_at": now,
            "manifest": manifest,
        },
    )
    if not run.complete:
        run.partners.all().delete()  # what a killed publish left behind
        rows = _rows(home.run_folder(run_id) / "assessment.jsonl", run)
        while chunk := list(islice(rows, CHUNK)):
            durable.step("write", Path(f"publish {run_id[:12]}"))
            with transaction.atomic(durable=True):
                PublishedPartner.objects.bulk_create(chunk)
    durable.step("commit", Path(f"publish {run_id[:12]}"))
    with transaction.atomic(durable=True):
        hold_fence("publish", run.run_id)
        run.complete = True
        run.save()
        Published.objects.update_or_create(only=1, defaults={"run": run, "moved_at": after_the_latest(now)})
    return run


def _rows(path: Path, run: Run) -> Iterator[PublishedPartner]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = published_partner(run, json.loads(line))
            row.result = Value(line.rstrip("\n"), models.TextField())  # stored as it was written, not written once more
            yield row


def published_partner(run: Run, one: dict[str, Any]) -> PublishedPartner:
    """A partner of a run as lists read it: the whole result, and beside it what lists filter and order by."""
    readiness, standing, won = one["readiness"], one["standing"], one["signals"].get("won_revenue")
    return PublishedPartner(
        run=run,
        rank=one["rank"],
        partner_id=one["partner_id"],
        name=one["name"] or "",
        external_id=one["external_id"] or "",
        source=one["source"] or "",
        result=one,
        segment=standing["segment"],
        band=readiness["band"] or "",
        state=readiness["state"],
        quiet=standing["quiet"]["state"],
        attention=standing["attention"]["layer"] or "",
        country=one["country"] or "",
        partner_type=one["partner_type"] or "",
        tier=one["tier"] or "",
        coverage=float(Fraction(readiness["coverage"])),
        last_on=standing["quiet"]["last_on"],
        won=_decimal(won["low"]) if won and won["state"] == "known" else None,
        short=sum(unmet["segment"] == "ready" for unmet in standing["moves"]) or None,
        look_at=len(standing["look_at"]),
        reviews=len(standing["reviews"]),
        total=None if readiness["total"] is None else float(Fraction(readiness["total"])),
        low=float(Fraction(readiness["low"])),
        high=float(Fraction(readiness["high"])),
        reason=reason(one),
    )


def _decimal(said: str) -> Decimal:
    number = Fraction(said)
    return (Decimal(number.numerator) / Decimal(number.denominator)).quantize(Decimal("0.0001"))
