"""Every page of the frame opens for whom it is meant."""

from collections.abc import Callable

import pytest
from django.test import Client

from groundswell.core.rights import ROLES


@pytest.mark.parametrize("role", ROLES)
def test_a_role_begins_where_it_works(role: str, signed_in: Callable[[str], Client]) -> None:
    answer = signed_in(role).get("/", follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain[-1][0] == ("/partners/" if role == "seller" else "/overview/")
