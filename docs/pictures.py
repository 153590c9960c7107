"""Takes the pictures of docs/pictures from a served demo: python docs/pictures.py HOME PORT, with the demo running there."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

_WIDE, _PHONE = 1280, 375
_SCREENS = {
    "overview": ("leader", "/overview/"),
    "partners": ("leader", "/partners/?list=ready"),
    "partner": ("leader", "/partners/{partner}/"),
    "evidence": ("leader", "/partners/{partner}/evidence/"),
    "signal": ("leader", "/partners/{partner}/evidence/open_pipeline/"),
    "sources": ("operations", "/data/"),
    "loads": ("operations", "/data/loads/"),
    "quarantine": ("operations", "/data/quarantine/"),
    "mappings": ("operations", "/data/mappings/"),
    "jobs": ("operations", "/data/jobs/"),
    "disputes": ("operations", "/disputes/"),
    "people": ("administrator", "/people/"),
    "trail": ("administrator", "/trail/?verify"),
    "account": ("manager", "/account/"),
}
"""Every screen with the role that works there."""
_DARK = ("overview", "partners", "partner", "sources")
_ON_A_PHONE = ("overview", "partners", "partner")


def main() -> None:
    """Write each screen as docs/pictures/NAME.png; some of them dark too, and on a phone."""
    home, port = sys.argv[1], sys.argv[2]
    os.environ |= {
        "GROUNDSWELL_HOME": home,
        "DJANGO_SETTINGS_MODULE": "groundswell.server.web",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",  # the browser's loop runs in the thread of the records
    }
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client
    from playwright.sync_api import sync_playwright

    from groundswell.records.runs import Published
    from groundswell.records.staff import Staff

    if (run := Published.current()) is None:
        sys.exit("nothing is published there; run: groundswell assess")
    partner = run.partners.filter(segment="ready").first() or run.partners.first()

    def opened(browser: Any, role: str, theme: str, width: int) -> Any:
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(Staff.objects.get(role=role), backend="allauth.account.auth_backends.AuthenticationBackend")
        context = browser.new_context(viewport={"width": width, "height": 900})
        session = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value, "theme": theme}
        origin = f"http://127.0.0.1:{port}"
        context.add_cookies([{"name": name, "value": value, "url": origin} for name, value in session.items()])
        return context.new_page()

    folder = Path(__file__).parent / "pictures"
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (role, address) in _SCREENS.items():
            kinds = [("", "light", _WIDE)]
            kinds += [("-dark", "dark", _WIDE)] if name in _DARK else []
            kinds += [("-phone", "light", _PHONE)] if name in _ON_A_PHONE else []
            for suffix, theme, width in kinds:
                page = opened(browser, role, theme, width)
                page.goto(f"http://127.0.0.1:{port}{address.format(partner=partner.partner_id)}")
                if name == "partners" and not suffix:
                    page.click("tr[data-row] th a")
                    page.wait_for_selector("#drawer >> text=Open full page")
                page.screenshot(path=folder / f"{name}{suffix}.png", full_page=not (name == "partners" and not suffix))
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
