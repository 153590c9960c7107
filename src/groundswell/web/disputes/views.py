"""What people say is wrong, and what operations answered."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from groundswell.actions.disputes import CannotAnswer, answer
from groundswell.reads.disputes import disputes_for
from groundswell.web.shell.page import actor, allowed, page, staff


@page("dispute a figure")
def disputes(request: HttpRequest) -> HttpResponse:
    """Disputes about partners that this person sees, open ones first."""
    said = {"disputes": disputes_for(staff(request)), "answers": allowed(staff(request), "answer disputes")}
    return render(request, "disputes/disputes.html", said)


@page("answer disputes")
@require_POST
def answered(request: HttpRequest, number: int) -> HttpResponse:
    """Answer one."""
    one = get_object_or_404(disputes_for(staff(request)), pk=number)
    try:
        answer(actor(request), one, request.POST.get("verdict", ""), request.POST.get("answer", ""))
    except CannotAnswer as error:
        messages.error(request, str(error), extra_tags="risk")
    else:
        messages.success(request, "Answered. Whoever asked sees it on the partner's page.")
    return redirect("disputes")
