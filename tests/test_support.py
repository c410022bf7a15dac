import pytest

from rag_app.records import Support
from rag_app.support import Evidence, check, needs_none, quoted
from rag_app.words import content_words, facts, stem

PASSAGE = Evidence(
    "Employees receive 20 days of paid vacation per year. Unused days may be carried over until 31 March. "
    "The policy does not cover contractors. Requests are sent to Dana Example in Berlin, by form HR-27b. "
    "The fee is 1,250.50 EUR and is paid before travel begins.",
    "Handbook\nVacation",
)
OTHER = Evidence("Badges are blue. They are handed out by the reception on the first day.", "Guide\nBadges")


@pytest.mark.parametrize(
    "sentence",
    [
        "Employees receive 20 days of paid vacation per year.",
        "employees receive 20 days of paid vacation per year",
        "Employees get 20 days of paid vacation a year.",
        "Per year, twenty days of paid vacation are received by employees.",
        "Unused vacation days can be carried over until 31 March.",
        "Contractors are not covered by the policy.",
        "Requests go to Dana Example with form HR-27b.",
        "The fee is €1250.50.",
        "The fee of 1,250.50 euros is paid before travel begins.",
    ],
)
def test_what_the_passage_says_is_supported(sentence: str) -> None:
    assert check(sentence, [PASSAGE]) is Support.SUPPORTED


@pytest.mark.parametrize(
    "sentence",
    [
        "Employees receive 25 days of paid vacation per year.",
        "Employees receive 20 weeks of paid vacation per year.",
        "Unused days may be carried over until 31 April.",
        "Unused days may not be carried over until 31 March.",
        "The policy covers contractors.",
        "Requests are sent to Robin Example in Berlin.",
        "Requests are sent to Dana Example in Paris.",
        "Requests are sent by form HR-28b.",
        "The fee is 1,250.50 USD.",
        "The fee is paid after travel begins.",
        "Cats sleep most of the day.",
    ],
)
def test_what_contradicts_the_passage_is_unsupported(sentence: str) -> None:
    assert check(sentence, [PASSAGE]) is Support.UNSUPPORTED


@pytest.mark.parametrize(
    "sentence",
    [
        "Employees receive paid vacation and generous bonuses for good work every year.",
        "Unused vacation days may be carried over by contractors who asked politely and waited.",
    ],
)
def test_what_the_passage_says_in_part_is_partly_supported(sentence: str) -> None:
    assert check(sentence, [PASSAGE]) is Support.PARTLY


def test_a_sentence_over_two_passages_is_checked_against_both() -> None:
    sentence = "Employees receive 20 days of vacation, and badges are handed out by the reception."

    assert check(sentence, [PASSAGE]) is not Support.SUPPORTED
    assert check(sentence, [PASSAGE, OTHER]) is Support.SUPPORTED


CLINIC = Evidence(
    "The clinic in Bonn opened in 1991 and treats 400 patients a year. The ward in Essen opened in 2004. "
    "We do not, however, collect addresses. The trial lasts 20 days."
)


@pytest.mark.parametrize(
    "sentence",
    [
        "The clinic in Bonn opened in 2004 and treats 400 patients a year.",
        "The clinic in Essen opened in 1991 and treats 400 patients a year.",
        "We do, however, collect addresses.",
        "The 30-day trial.",
    ],
)
def test_what_was_exchanged_within_the_passage_is_unsupported(sentence: str) -> None:
    assert check(sentence, [CLINIC]) is Support.UNSUPPORTED


@pytest.mark.parametrize(
    "sentence",
    [
        "The clinic in Bonn treats 400 patients a year.",
        "The clinic, like the ward in Essen, treats 400 patients a year.",
        "The trial is a 20-day one.",
    ],
)
def test_what_is_shortened_or_put_together_stays_supported(sentence: str) -> None:
    assert check(sentence, [CLINIC]) is Support.SUPPORTED


def test_a_true_sentence_with_the_wrong_passage_is_unsupported() -> None:
    assert check("Employees receive 20 days of paid vacation per year.", [OTHER]) is Support.UNSUPPORTED


def test_title_and_headings_count_as_said() -> None:
    assert (
        check("The handbook says that unused days may be carried over until 31 March.", [PASSAGE]) is Support.SUPPORTED
    )


@pytest.mark.parametrize(
    "sentence",
    [
        "The documents do not say how long it takes.",
        "The passages don't mention a fee.",
        "I could not find this in the documents.",
        "There is no information about overtime.",
        "Overtime is not mentioned.",
        "You can use any of these:",
        "The steps are as follows:",
    ],
)
def test_refusals_and_lead_ins_need_no_passage(sentence: str) -> None:
    assert needs_none(sentence)
    assert check(sentence, []) is Support.SUPPORTED


@pytest.mark.parametrize(
    "sentence",
    ["Vacation is 20 days.", "It costs 5 EUR, as follows:", "Set RAG_HOME as follows:", "The sun is hot."],
)
def test_a_claim_without_a_marker_is_unsupported(sentence: str) -> None:
    assert check(sentence, []) is Support.UNSUPPORTED


def test_a_quote_is_found_whatever_its_spaces_and_case() -> None:
    assert quoted("unused days  MAY be carried over,\nuntil 31 march", PASSAGE.text)
    assert not quoted("Unused days may be carried under", PASSAGE.text)
    assert not quoted("…", PASSAGE.text)


def test_nothing_to_check_against_supports_nothing() -> None:
    assert check("Employees receive 20 days.", [Evidence("")]) is Support.UNSUPPORTED


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1,200 and 1.200 and 1'200", {"1200"}),
        ("3.50 and 3,5", {"3.5"}),
        ("twenty and twelve", {"20", "12"}),
        ("one of them", set()),
        ("5% and 7 %", {"5", "7"}),
        ("10km", {"10"}),
        ("version v1.2.3", set()),
        ("2,847,119", {"2847119"}),
        ("٣", {"3"}),
    ],
)
def test_numbers_are_read_one_way(text: str, numbers: set[str]) -> None:
    assert facts(text).numbers == numbers


def test_units_go_with_their_numbers() -> None:
    assert facts("5 days, $20, 7% and 10 km").measures == {
        ("5", "day"),
        ("20", "usd"),
        ("7", "percent"),
        ("10", "km"),
    }


def test_codes_and_names_are_told_from_words() -> None:
    found = facts("The error KB-ERR-2847 in RAG_HOME was seen by Dana Example on the GPU.")

    assert {"kb-err-2847", "rag_home"} <= found.codes
    assert {"dana", "exampl"} <= {name.rstrip("e") for name in found.names}
    assert "gpu" in found.names


def test_what_is_denied_is_the_word_after_the_negation() -> None:
    assert facts("It does not cover damage, but loss.").denied == {stem("cover")}
    assert facts("It isn't included.").denied == {stem("included")}
    assert facts("Not only staff but also guests.").denied == set()


def test_content_words_keep_their_spelling() -> None:
    assert content_words("How do I reset the Password for KB-27?") == ["reset", "Password", "KB-27"]
