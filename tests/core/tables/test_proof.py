"""A column is typed as a whole: proof decides, conflict asks, the locale comes last, and nothing is guessed."""

import pytest

from groundswell.core.tables.proof import Proof, Question, disproved, known_locale, settle


def dates(*cells: str, moments: bool = False) -> Proof:
    proof = Proof("date", moments)
    proof.look(cells)
    return proof


def numbers(*cells: str) -> Proof:
    proof = Proof("number")
    proof.look(cells)
    return proof


def test_one_cell_above_twelve_decides_its_column() -> None:
    assert settle({"Close Date": dates("05/03/2026", "31/12/2025")}, {}, "") == ({"Close Date": "dmy"}, [])


def test_one_cell_above_twelve_decides_a_column_that_is_written_without_zeros() -> None:
    assert settle({"Close Date": dates("1/5/2026", "1/13/2026")}, {}, "") == ({"Close Date": "mdy"}, [])


def test_a_column_without_zeros_that_nothing_decides_is_a_question() -> None:
    settled, questions = settle({"Close Date": dates("10/2/2026", "11/3/2026")}, {}, "")
    assert settled == {}
    assert [question.column for question in questions] == ["Close Date"]


def test_one_number_with_both_signs_decides_its_column() -> None:
    assert settle({"Amount": numbers("1.234", "100.000,00")}, {}, "") == ({"Amount": ","}, [])


def test_proof_in_one_column_decides_columns_of_the_same_shape() -> None:
    proofs = {"Created": dates("05/03/2026"), "Closed": dates("31/12/2025")}
    assert settle(proofs, {}, "") == ({"Created": "dmy", "Closed": "dmy"}, [])


def test_proof_does_not_reach_columns_of_another_shape() -> None:
    settled, questions = settle({"Created": dates("05.03.2026"), "Closed": dates("31/12/2025")}, {}, "")
    assert settled == {"Closed": "dmy"}
    assert [question.column for question in questions] == ["Created"]


def test_proof_of_dates_says_nothing_about_numbers() -> None:
    settled, questions = settle({"Amount": numbers("1,234"), "Closed": dates("31/12/2025")}, {}, "")
    assert settled == {"Closed": "dmy"}
    assert questions == [Question("Amount", "'1,234' can be read two ways and no cell decides", (".", ","), ("1,234",))]


def test_two_proofs_in_one_column_ask_with_both_cells_even_where_a_locale_is_known() -> None:
    settled, questions = settle({"Closed": dates("31/12/2025", "12/31/2025")}, {}, "en_US")
    assert settled == {}
    text = "'31/12/2025' reads only as dmy but '12/31/2025' reads only as mdy: the column contradicts itself"
    assert questions == [Question("Closed", text, ("dmy", "mdy"), ("31/12/2025", "12/31/2025"))]


def test_two_columns_that_prove_different_things_decide_no_third() -> None:
    proofs = {"A": dates("31/12/2025"), "B": dates("12/31/2025"), "C": dates("05/03/2026")}
    settled, questions = settle(proofs, {}, "")
    assert settled == {"A": "dmy", "B": "mdy"}
    assert [question.column for question in questions] == ["C"]


@pytest.mark.parametrize(
    ("locale", "date", "number"),
    [("en_US", "mdy", "."), ("en_GB", "dmy", "."), ("de_DE", "dmy", ","), ("fr_FR", "dmy", ",")],
)
def test_the_locale_of_the_source_decides_where_no_cell_does(locale: str, date: str, number: str) -> None:
    proofs = {"Closed": dates("05/03/2026"), "Amount": numbers("1.234")}
    assert settle(proofs, {}, locale) == ({"Closed": date, "Amount": number}, [])


def test_a_locale_that_writes_the_year_first_decides_no_day_order() -> None:
    settled, questions = settle({"Closed": dates("05/03/2026")}, {}, "sv_SE")
    assert settled == {}
    assert len(questions) == 1


def test_proof_in_the_file_comes_before_the_locale() -> None:
    proofs = {"Created": dates("05/03/2026"), "Closed": dates("31/12/2025")}
    assert settle(proofs, {}, "en_US")[0] == {"Created": "dmy", "Closed": "dmy"}


def test_without_proof_and_locale_it_asks_with_the_cell_and_the_possible_answers() -> None:
    assert settle({"Closed": dates("05/03/2026")}, {}, "") == (
        {},
        [Question("Closed", "'05/03/2026' can be read two ways and no cell decides", ("dmy", "mdy"), ("05/03/2026",))],
    )


def test_an_answer_settles_what_was_asked() -> None:
    proofs = {"Closed": dates("05/03/2026"), "Odd": dates("31/12/2025", "12/31/2025")}
    assert settle(proofs, {"Closed": "mdy", "Odd": "dmy"}, "") == ({"Closed": "mdy", "Odd": "dmy"}, [])


def test_a_column_that_can_be_read_one_way_needs_nothing() -> None:
    assert settle({"Closed": dates("2026-01-31", ""), "Amount": numbers("5", "")}, {}, "") == ({}, [])


def test_the_order_of_the_cells_does_not_matter_for_what_is_settled() -> None:
    cells = ["05/03/2026", "31/12/2025", "01/02/2026"]
    assert {settle({"D": dates(*order)}, {}, "")[0]["D"] for order in (cells, cells[::-1])} == {"dmy"}


def test_the_first_time_without_a_zone_is_kept_for_columns_of_moments_only() -> None:
    assert dates("2026-01-31", "2026-01-31 14:30", "2026-02-01 09:00", moments=True).floating == "2026-01-31 14:30"
    assert dates("2026-01-31 14:30").floating == ""
    assert dates("2026-01-31T14:30Z", moments=True).floating == ""


def test_locales_are_known_by_their_names() -> None:
    assert known_locale("en_US")
    assert not known_locale("klingon")
    assert not known_locale("en_XX_YY_ZZ_1")


def test_an_answer_is_disproved_by_a_cell_of_its_column_or_of_the_shape_of_its_column() -> None:
    proofs = {
        "Created": dates("05/03/2026"),
        "Closed": dates("12/31/2025"),
        "Due": dates("5.3.2026"),
        "Amount": numbers("7"),
    }
    closed = ("Closed", "12/31/2025", "mdy")
    assert disproved(proofs, {"Created": "dmy", "Closed": "dmy", "Due": "dmy"}) == {"Created": closed, "Closed": closed}
    assert disproved(proofs, {"Created": "dmy", "Due": "dmy", "Amount": ","}) == {"Created": closed}
    assert disproved(proofs, {"Created": "mdy", "Closed": "mdy"}) == {}
    # Who has answered for both columns, and rightly for the one that proves, has said that they differ.
    assert disproved(proofs, {"Created": "dmy", "Closed": "mdy"}) == {}
