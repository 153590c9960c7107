"""Every action of the package leaves exactly one entry in the trail, and what is no action changes no record.

Both lists are compared with the package: a function that is added to `actions` and stands in neither fails.
"""

import ast
import datetime as dt
import importlib
import inspect
import pkgutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType

import pytest

import groundswell.actions
from groundswell.actions import act, books, disputes, exports, jobs, loads, mappings, quarantine, staff, uploads, views
from groundswell.actions.act import Actor, heads
from groundswell.engine.home import Home
from groundswell.engine.secrets import Secrets
from groundswell.reads.listing import Listing
from groundswell.reads.trail import verify
from groundswell.records.disputes import Dispute
from groundswell.records.jobs import Job
from groundswell.records.loads import Load
from groundswell.records.runs import Published, PublishedPartner, Run
from groundswell.records.staff import Staff
from groundswell.records.trail import Entry
from groundswell.runs import jobs as running
from tests.river import NOW, take_in_text

WORD = "correct horse battery"
DEALS = """deal_id,partner_id,role,customer_name,stage,stage_class,amount,currency,created_on
D1,P1,sourced,Acme,Open,open,5,USD,13/04/2026
D2,P1,sourced,Acme,Open,open,many,USD,04/05/2026
"""


@dataclass
class World:
    """An instance with a published partner, and an administrator who acts in it; what a case needs beside it is made here."""

    home: Home
    actor: Actor

    @property
    def me(self) -> Staff:
        assert self.actor.staff is not None
        return self.actor.staff

    def upload(self, text: str = "partner_id,partner_name\nP1,Nord\n", name: str = "partners.csv") -> uploads.Upload:
        arrived = self.home.path / "uploads" / f"arriving-{threading.get_ident()}"
        arrived.parent.mkdir(exist_ok=True)
        arrived.write_text(text, "utf-8")
        return uploads.keep(self.actor, arrived, name)

    def job(self, state: str, kind: str = "take-in") -> Job:
        """A job in a state, which nobody has asked for."""
        request = {"words": ["./a.csv"], "name": "a.csv", "digest": self.upload().digest}
        return Job.objects.create(
            kind=kind, input_hash=state, request=request, state=state, asked_by=self.me, asked_at=NOW
        )

    def partner(self) -> PublishedPartner:
        return PublishedPartner.objects.get()

    def manager(self) -> Staff:
        return Staff.objects.create(email="manager@example.com", name="M", role="manager")

    def dispute(self) -> Dispute:
        partner = self.partner()
        named = {"partner_id": partner.partner_id, "partner_name": partner.name, "run_id": partner.run_id}
        return Dispute.objects.create(**named, why="no", asked_by=self.me, asked_at=NOW)

    def load(self) -> str:
        return take_in_text(self.home, "deals.csv", DEALS, "2026-09-01").name

    def corrected(self) -> Path:
        path = self.home.path.parent / "fix.csv"
        quarantine.export(self.home, self.load(), path)
        path.write_text(path.read_text("utf-8").replace("many,USD", "6,USD"), "utf-8")
        return path

    def sheet(self) -> Path:
        path = running.sheets(self.home.path) / "0-0" / "list.csv"
        exports.write(self.actor, NOBODY, "csv", path, "USD")
        return path

    def written(self) -> Job:
        job = self.job("done", "export")
        job.effects.create(key="sheet", made=str(self.sheet().relative_to(running.sheets(self.home.path))))
        return job

    def drafted(self) -> uploads.Upload:
        """A kept file with a draft beside it that was tried."""
        kept = self.upload("Opp;Betrag\nA1;5\n", "orders.csv")
        for name, text in (
            (mappings._TEXT, "x = 1"),
            (mappings._SAMPLES, "{}"),
            (mappings._TRIED, mappings._digest("x = 1")),
        ):
            mappings._in(kept, name).parent.mkdir(exist_ok=True)
            mappings._in(kept, name).write_text(text, "utf-8")
        return kept


NOBODY = Listing.parsed({"q": "no partner is called so"})
Case = Callable[[World], Callable[[], object]]
"""Makes what an act needs, and gives the act."""


def _undo(world: World) -> Callable[[], object]:
    done = books.assign(world.actor, [world.partner().partner_id], world.manager())
    return lambda: books.undo(world.actor, done.entry)


def _assign(world: World) -> Callable[[], object]:
    manager = world.manager()
    return lambda: books.assign(world.actor, [world.partner().partner_id], manager)


def _dropped(world: World) -> Callable[[], object]:
    views.save(world.actor, world.me, "list", "")
    return lambda: views.drop(world.actor, world.me, "list")


def _accepted(world: World) -> Callable[[], object]:
    word = staff.invite(world.actor, "a@example.com", "A", "leader")
    return lambda: staff.accept(world.actor, word, WORD)


def _from_outside(world: World) -> Callable[[], object]:
    staff.invite(world.actor, "a@example.com", "A", "leader")
    return lambda: staff.accept_from_outside(world.actor, Staff.objects.get(email="a@example.com"))


def _changed(world: World) -> Callable[[], object]:
    manager = world.manager()
    return lambda: staff.change(world.actor, manager, "leader", ("DE",), True)


def _given(make: Callable[[World], object], do: Callable[[World, object], object]) -> Case:
    def case(world: World) -> Callable[[], object]:
        made = make(world)
        return lambda: do(world, made)

    return case


ACTS: dict[str, Case] = {
    "books.assign": _assign,
    "books.undo": _undo,
    "disputes.dispute": lambda w: lambda: disputes.dispute(w.actor, w.partner(), "", "", "it is not so"),
    "disputes.answer": _given(World.dispute, lambda w, one: disputes.answer(w.actor, one, "stands", "it is")),  # type: ignore[arg-type]
    "exports.export": lambda w: lambda: exports.export(w.actor, NOBODY, "csv", w.home.path / "list.csv", "USD"),
    "exports.ask": lambda w: lambda: exports.ask(w.actor, NOBODY, "csv", "list.csv"),
    "exports.write": lambda w: w.sheet,
    "exports.take": _given(World.written, lambda w, job: exports.take(w.actor, job)),  # type: ignore[arg-type]
    "jobs.take_in": _given(World.upload, lambda w, kept: jobs.take_in(w.actor, kept)),  # type: ignore[arg-type]
    "jobs.answer": _given(lambda w: w.job("asks"), lambda w, job: jobs.answer(w.actor, job, {"a.csv": {"x": "dmy"}})),  # type: ignore[arg-type]
    "jobs.assess": lambda w: lambda: jobs.assess(w.actor, dt.date(2026, 1, 1)),
    "jobs.retry": _given(World.upload, lambda w, kept: jobs.retry(w.actor, kept, "L000001")),  # type: ignore[arg-type]
    "jobs.revert": _given(World.load, lambda w, name: jobs.revert(w.actor, Load.named(str(name)), "it was a test")),
    "jobs.again": _given(lambda w: w.job("failed"), lambda w, job: jobs.again(w.actor, job)),  # type: ignore[arg-type]
    "jobs.cancel": _given(lambda w: w.job("queued"), lambda w, job: jobs.cancel(w.actor, job)),  # type: ignore[arg-type]
    "jobs.daily": lambda w: lambda: jobs.daily(w.actor, dt.time(6)),
    "loads.revert": _given(World.load, lambda w, name: loads.revert(w.home, str(name), "it was a test", NOW, w.me)),
    "mappings.take_in": _given(World.drafted, lambda w, kept: mappings.take_in(w.actor, kept, "", "")),  # type: ignore[arg-type]
    "quarantine.retry": _given(World.corrected, lambda w, path: quarantine.retry(w.home, path, NOW, w.me)),  # type: ignore[arg-type]
    "staff.invite": lambda w: lambda: staff.invite(w.actor, "a@example.com", "A", "leader"),
    "staff.accept": _accepted,
    "staff.accept_from_outside": _from_outside,
    "staff.change": _changed,
    "views.save": lambda w: lambda: views.save(w.actor, w.me, "list", "country=DE"),
    "views.drop": _dropped,
}
"""Every action, with a case of it."""

NO_RECORDS = {
    "exports.where", "mappings.propose", "mappings.draft", "mappings.edit", "mappings.rewrite", "mappings.try_on",
    "mappings.faults", "quarantine.opened", "quarantine.export", "quarantine.correct", "staff.invited", "uploads.keep",
    "uploads.kept", "uploads.safe",
}  # fmt: skip
"""Functions beside them that write files at most, which are of no instance before an act makes them so."""


def functions() -> dict[str, FunctionType]:
    """Every public function of every module of the package, by `module.function`."""
    found = {}
    for module in pkgutil.iter_modules(groundswell.actions.__path__):
        loaded = importlib.import_module(f"groundswell.actions.{module.name}")
        if loaded is act:
            continue
        for name, one in inspect.getmembers(loaded, inspect.isfunction):
            if one.__module__ == loaded.__name__ and not name.startswith("_"):
                found[f"{module.name}.{name}"] = one
    return found


def test_every_function_of_the_package_is_an_act_with_a_case_or_changes_nothing() -> None:
    assert set(functions()) == {*ACTS, *NO_RECORDS}
    assert not NO_RECORDS & set(ACTS)


@pytest.mark.parametrize("name", sorted(ACTS))
def test_an_act_leaves_exactly_one_entry(name: str, home: Home) -> None:
    me = Staff.objects.create(email="a@example.org", name="A", role="administrator", joined_at=NOW)
    run = Run.objects.create(run_id="r", as_of=NOW.date(), policy_version="p", created_at=NOW, complete=True)
    Published.objects.create(run=run, moved_at=NOW)
    PublishedPartner.objects.create(
        run=run, rank=1, partner_id="o_1", name="Nord", external_id="P1", source="s", result={}
    )
    world = World(home, Actor(home.path, me, dt.datetime.now(dt.UTC)))
    do, before = ACTS[name](world), Entry.objects.count()
    do()
    assert Entry.objects.count() == before + 1
    entry = Entry.objects.order_by("-number")[0]
    assert entry.who == me.email
    assert entry.verb
    verified = verify(Secrets.of(home.path).trail, heads(home.path))
    assert (verified.count, verified.breaks) == (before + 1, [])


_WRITES = {"save", "create", "get_or_create", "update_or_create", "bulk_create", "bulk_update", "delete", "act"}


@pytest.mark.parametrize("name", sorted(NO_RECORDS))
def test_what_is_no_act_writes_no_record(name: str) -> None:
    tree = ast.parse(inspect.getsource(functions()[name]))
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }
    assert not called & _WRITES
