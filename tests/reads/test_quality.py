"""What is said of what cannot be computed."""

from groundswell.reads.quality import computable


def test_what_is_wanting_names_each_kind_once_and_counts_those_beyond_four() -> None:
    unavailable = {
        "a": ["activities of type x or y"],
        "b": ["activities of type u or v or x"],
        "c": ["activities.value"],
        "d": ["activities of type w"],
        "e": ["readings of kind csat"],
        "f": ["deals"],
    }
    assert computable(3, 9, {"activities": 4, "readings": 1, "deals": 1}, unavailable) == (
        "3 of 9 signals can be computed from your data; activities with value, u, v, w, x, 1 more would add 4; "
        "readings with csat would add 1; deals would add 1."
    )
