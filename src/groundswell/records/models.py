"""Every model of the records, for Django to find; each noun has its own file."""

from groundswell.records.disputes import Dispute
from groundswell.records.jobs import Job, Schedule
from groundswell.records.loads import Load, LoadFile, QuarantinedRow, RetriedRow
from groundswell.records.runs import Published, PublishedPartner, Run
from groundswell.records.staff import Book, Invitation, Staff
from groundswell.records.trail import Entry
from groundswell.records.views import SavedView

__all__ = [
    "Book",
    "Dispute",
    "Entry",
    "Invitation",
    "Job",
    "Load",
    "LoadFile",
    "Published",
    "PublishedPartner",
    "QuarantinedRow",
    "RetriedRow",
    "Run",
    "SavedView",
    "Schedule",
    "Staff",
]
