"""Every model of the records, for Django to find; each noun has its own file."""

from groundswell.records.loads import Load, LoadFile, QuarantinedRow, RetriedRow
from groundswell.records.runs import Published, PublishedPartner, Run

__all__ = ["Load", "LoadFile", "Published", "PublishedPartner", "QuarantinedRow", "RetriedRow", "Run"]
