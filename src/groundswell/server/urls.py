"""Every address of the pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path, register_converter
from django.urls.converters import IntConverter

from groundswell.core.rights import may
from groundswell.web.account import views as account
from groundswell.web.data import mappings, quarantine, work
from groundswell.web.data import views as data
from groundswell.web.disputes import views as disputes
from groundswell.web.overview import views as overview
from groundswell.web.partner import views as partner
from groundswell.web.partners import views as partners
from groundswell.web.people import views as people
from groundswell.web.shell import views as shell
from groundswell.web.shell.page import page, staff
from groundswell.web.trail import views as trail


class _Number(IntConverter):
    """Of at most as many digits as the number of any row: what is longer is no address."""

    regex = "[0-9]{1,18}"


register_converter(_Number, "number")


@page("see partners")
def start(request: HttpRequest) -> HttpResponse:
    """Where a role begins: the overview, or for a seller the partners."""
    return redirect("overview" if may(staff(request).role, "see the overview") else "partners")


urlpatterns = [
    path("", start, name="start"),
    path("overview/", overview.overview, name="overview"),
    path("overview/counted/", overview.counted, name="overview-counted"),
    path("find/", shell.find, name="find"),
    path("account/", account.account, name="account"),
    path("theme/", account.theme, name="theme"),
    path("invitation/<str:word>/", account.invitation, name="invitation"),
    path("account/email/", account.not_there, name="account-email"),
    path("account/confirm-email/", account.not_there, name="account-confirm"),
    path("account/confirm-email/<str:key>/", account.not_there, name="account-confirmed"),
    path("account/", include("allauth.urls")),
    path("partners/", partners.partners, name="partners"),
    path("partners/assign/", partners.assigned, name="partners-assigned"),
    path("partners/assign/<number:number>/undo/", partners.unassigned, name="partners-unassigned"),
    path("partners/export/", partners.exported, name="partners-exported"),
    path("partners/sheets/<number:number>/", partners.written, name="partners-sheet"),
    path("partners/sheets/<number:number>/file/", partners.taken, name="partners-taken"),
    path("partners/lists/", partners.kept, name="partners-kept"),
    path("partners/lists/drop/", partners.dropped, name="partners-dropped"),
    path("partners/<str:partner_id>/drawer/", partners.drawer, name="partners-drawer"),
    path("partners/<str:partner_id>/", partner.partner, name="partner"),
    path("partners/<str:partner_id>/evidence/", partner.evidence, name="partner-evidence"),
    path("partners/<str:partner_id>/evidence/<str:name>/", partner.signal, name="partner-signal"),
    path("partners/<str:partner_id>/lines/<str:load>/<number:number>/", partner.line, name="partner-line"),
    path("partners/<str:partner_id>/rows/<str:name>/", partner.rows, name="partner-rows"),
    path("data/", data.sources, name="sources"),
    path("data/upload/", data.uploaded, name="sources-uploaded"),
    path("data/loads/", data.loads, name="sources-loads"),
    path("data/loads/<number:number>/", data.load, name="sources-load"),
    path("data/loads/<number:number>/revert/", data.reverted, name="sources-reverted"),
    path("data/quarantine/", quarantine.quarantine, name="quarantine"),
    path("data/quarantine/<number:number>/export/", quarantine.exported, name="quarantine-exported"),
    path("data/quarantine/<number:number>/fix/", quarantine.fixed, name="quarantine-fixed"),
    path("data/quarantine/retry/", quarantine.retried, name="quarantine-retried"),
    path("data/mappings/", mappings.mappings, name="mappings"),
    path("data/mappings/propose/", mappings.proposed, name="mappings-proposed"),
    path("data/mappings/<str:digest>/", mappings.draft, name="mappings-draft"),
    path("data/mappings/<str:digest>/take-in/", mappings.taken, name="mappings-taken"),
    path("data/jobs/", work.jobs, name="jobs"),
    path("data/jobs/assess/", work.assessed, name="jobs-assessed"),
    path("data/jobs/daily/", work.scheduled, name="jobs-scheduled"),
    path("data/jobs/<number:number>/", work.job, name="jobs-job"),
    path("data/jobs/<number:number>/answer/", work.answered, name="jobs-answered"),
    path("data/jobs/<number:number>/cancel/", work.cancelled, name="jobs-cancelled"),
    path("data/jobs/<number:number>/again/", work.again, name="jobs-again"),
    path("disputes/", disputes.disputes, name="disputes"),
    path("disputes/<number:number>/answer/", disputes.answered, name="dispute-answered"),
    path("people/", people.people, name="people"),
    path("people/invite/", people.invited, name="person-invited"),
    path("people/<number:number>/", people.changed, name="person-changed"),
    path("trail/", trail.trail, name="trail"),
]
handler400 = "groundswell.web.shell.errors.bad"
handler403 = "groundswell.web.shell.errors.refused"
handler404 = "groundswell.web.shell.errors.not_found"
handler500 = "groundswell.web.shell.errors.broken"
