"""What hands do beyond links: keys, a range of rows by a click with Shift, taking an assignment back; and paper."""

import re
from collections.abc import Callable

from tests.browser.conftest import Tab

Open = Callable[..., Tab]


def test_every_key_does_what_the_dialog_says(tab: Open) -> None:
    one = tab("administrator")
    one.open("/partners/")
    one.page.keyboard.press("?")
    said = one.page.inner_text("#keys")
    for key in ("v", "1", "9", "[", "]", "j", "k", "x", "o", "Esc", "Shift", "/", "u"):
        assert key in [each.strip() for each in one.page.locator("#keys kbd").all_inner_texts()], key
    assert "kept lists" in said
    one.page.keyboard.press("Escape")
    one.page.keyboard.press("v")
    assert one.page.evaluate("document.activeElement.closest('.tabs.lists') !== null")
    with one.page.expect_navigation():
        one.page.keyboard.press("2")
    assert one.page.url.endswith("/partners/?list=ready")
    one.open("/partners/?order=name")
    one.page.keyboard.press("j")
    with one.page.expect_navigation():
        one.page.keyboard.press("o")
    first = one.page.inner_text("h1")
    with one.page.expect_navigation():
        one.page.keyboard.press("]")
    assert one.page.inner_text("h1") != first
    with one.page.expect_navigation():
        one.page.keyboard.press("[")
    assert one.page.inner_text("h1") == first
    with one.page.expect_navigation():
        one.page.keyboard.press("3")
    assert "/rows/deals/" in one.page.url
    one.open("/overview/")
    with one.page.expect_navigation():
        one.page.keyboard.press("2")
    assert one.page.url.endswith("/partners/?segment=ready")
    assert one.faults() == []


def test_keys_reach_the_page_at_once_when_a_dialog_is_closed(tab: Open) -> None:
    one = tab("administrator")
    one.open("/partners/")
    one.page.keyboard.press("?")
    at_once = """() => {
      const held = document.activeElement;
      document.getElementById("keys").close();
      held.dispatchEvent(new KeyboardEvent("keydown", {key: "v", bubbles: true}));
      return [held.id, document.activeElement.closest(".tabs.lists") !== null];
    }"""
    assert one.page.evaluate(at_once) == ["single-keys", True]
    one.page.keyboard.press("?")
    in_dialog = """() => {
      document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "v", bubbles: true}));
      return document.activeElement.id;
    }"""
    assert one.page.evaluate(in_dialog) == "single-keys"


def test_a_key_that_is_switched_off_does_nothing(tab: Open) -> None:
    one = tab("administrator")
    one.open("/partners/")
    one.page.keyboard.press("?")
    one.page.uncheck("#single-keys")
    one.page.keyboard.press("Escape")
    one.page.keyboard.press("2")
    one.page.wait_for_timeout(300)
    assert one.page.url.endswith("/partners/")


def test_a_click_with_shift_selects_a_range_and_undo_takes_the_assignment_back(tab: Open) -> None:
    one = tab("leader")
    one.open("/partners/?order=name")
    boxes = one.page.locator("[data-row] input[type=checkbox]")
    before = one.page.locator("td.less:last-child").all_inner_texts()
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    assert [boxes.nth(place).is_checked() for place in range(6)] == [False, True, True, True, True, False]
    assert one.page.inner_text("[data-selected]") == "4"
    boxes.nth(2).click()
    boxes.nth(3).click(modifiers=["Shift"])
    assert [boxes.nth(place).is_checked() for place in range(6)] == [False, True, False, False, True, False]
    boxes.nth(3).click()
    one.page.select_option("select[name=to]", "nobody")
    with one.page.expect_navigation():
        one.page.click("text=Assign")
    assert "3 partners are in nobody's book now." in one.page.inner_text(".note")
    with one.page.expect_navigation():
        one.page.click(".note >> text=Undo")
    assert "Taken back" in one.page.inner_text(".note")
    assert one.page.locator("td.less:last-child").all_inner_texts() == before
    assert one.faults() == []


def test_the_overview_is_one_sheet_of_paper_in_light_colours(tab: Open) -> None:
    one = tab("leader", theme="dark")
    one.open("/overview/")
    paper = one.page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", paper)) == 1
    one.page.emulate_media(media="print")
    one.page.set_viewport_size({"width": 690, "height": 1000})
    assert (
        one.page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor") == "rgb(255, 255, 255)"
    )
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 690
    one.open("/partners/")
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 690
