"""Cutting a comment: what always stays, what goes first, and that nothing is left open."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from policies.wording.fitting import Item, Section, Weight, fitted, folded, number_of
from policies.wording.quote import LONGEST_COMMENT, fenced

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})
URL = "https://towpath.example.com/reports/aa"
TABLE = "**First.**\n\n| gate | | why |\n|---|---|---|\n| soak | x | y |"
LONG = "x" * 200
NOTE = Item(f"- note {LONG}", Weight.note)
ERROR = Item(f"- error {LONG}", Weight.error)
DIFF = Item(folded("a", fenced([LONG], "diff")), Weight.diff, Item("- a, which is longer", Weight.change))


def section(*items: Item, summary: str = "") -> Section:
    return Section(items, "finding", "**Found:**" if not summary else "", summary)


def test_what_fits_is_whole() -> None:
    text = fitted((Section((Item("top"),)), section(ERROR, ERROR), section(NOTE, summary="1 note")), URL)
    note = f"<details><summary>1 note</summary>\n\n{NOTE.text}\n\n</details>"
    assert text == f"top\n\n**Found:**\n\n{ERROR.text}\n{ERROR.text}\n\n{note}"


def test_the_least_important_goes_first_and_the_last_of_its_kind_before_the_others() -> None:
    notes = tuple(replace(NOTE, text=f"- note {number} {LONG}") for number in range(3))
    sections = (Section((Item("top"),)), section(*notes, ERROR))
    whole = fitted(sections, URL)
    assert fitted(sections, URL, len(whole)) == whole
    assert fitted(sections, "", 700) == (
        f"top\n\n**Found:**\n\n{notes[0].text}\n{notes[1].text}\n{ERROR.text}\n\n… 1 more finding"
    )
    assert fitted(sections, "", 300) == f"top\n\n**Found:**\n\n{ERROR.text}\n\n… 3 more findings"
    assert fitted(sections, "", 100) == "top\n\n**Found:**\n\n… 4 more findings"


def test_something_shorter_stands_for_what_is_too_long() -> None:
    sections = (Section((Item("top"),)), section(DIFF, NOTE))
    assert fitted(sections, "", 100) == "top\n\n**Found:**\n\n- a, which is longer\n\n… 1 more finding"
    assert fitted(sections, "", 40) == "top\n\n**Found:**\n\n… 2 more findings"


def test_what_is_left_out_of_a_fold_is_said_in_it_with_the_way_to_the_full_text() -> None:
    many = (replace(NOTE, counts=2),) * 9
    text = fitted((Section((Item("top"),)), section(*many, summary="18 notes")), URL, 600)
    assert text.endswith(f"x\n\n… 14 more findings: [the full report]({URL})\n\n</details>")
    gone = fitted((Section((Item("top"),)), section(*many, summary="18 notes")), URL, 100)
    assert gone == f"top\n\n… 18 more findings: [the full report]({URL})"


def test_what_always_stays_is_cut_only_where_it_is_too_long_by_itself() -> None:
    text = fitted((Section((Item("\n".join(["x" * 20] * 50)),)), section(ERROR)), "", 500)
    assert len(text) <= 500
    assert text.endswith("x\n\n… and more than a comment can hold.")


def test_things_are_counted_in_english() -> None:
    words = ["error", "NetworkPolicy", "Ingress", "Gateway", "ConfigMap"]
    assert [number_of(2, word) for word in words] == [
        *("2 errors", "2 NetworkPolicies", "2 Ingresses", "2 Gateways", "2 ConfigMaps")
    ]
    assert number_of(1, "Ingress", "more ") == "1 more Ingress"


# Whatever it is made of.

LINES = st.lists(st.text(alphabet="`~<>/details+- @x\n", max_size=40), max_size=4)
FENCES = LINES.map(lambda lines: fenced(lines, "diff"))
WEIGHTS = st.sampled_from([weight for weight in Weight if weight is not Weight.always])
ITEMS = st.one_of(
    st.builds(Item, st.just("- a finding (`x`)"), WEIGHTS),
    st.builds(Item, FENCES, WEIGHTS),
    st.builds(lambda fence, weight: Item(folded("s", fence), weight, Item("- s", weight)), FENCES, WEIGHTS),
)
SECTIONS = st.lists(
    st.builds(
        lambda items, summary: Section(tuple(items), "finding", "", summary, "\n\n"),
        st.lists(ITEMS, max_size=5),
        st.sampled_from(["", "more"]),
    ),
    max_size=4,
)


@given(SECTIONS, st.integers(300, 2000), st.sampled_from(["", URL]))
def test_a_cut_comment_is_short_enough_whole_and_keeps_its_top(
    sections: list[Section], longest: int, full: str
) -> None:
    text = fitted((Section((Item(TABLE),)), *sections, Section((Item("the end"),))), full, longest)
    assert len(text) <= longest
    assert text.startswith(TABLE)
    assert text.endswith(("\n\nthe end", "more than a comment can hold."))
    tokens = MARKDOWN.parse(text)
    blocks = [token.content for token in tokens if token.type == "html_block"]
    assert sum("<details>" in one for one in blocks) == sum("</details>" in one for one in blocks)
    assert {one.strip() for one in blocks} <= {
        *("<details><summary>s</summary>", "<details><summary>more</summary>", "</details>")
    }
    assert [token for token in tokens if token.type == "fence" and token.map and token.map[1] - token.map[0] < 2] == []
    assert [token.type for token in tokens].count("table_open") == 1
    paragraphs = [token.content for token in tokens if token.type == "inline"]
    assert "the end" in paragraphs or not text.endswith("the end")


def test_a_comment_of_thousands_of_items_is_cut_too() -> None:
    many = tuple(Item(folded("s", fenced(["+" * 400] * 10, "diff")), Weight.diff) for _ in range(2000))
    text = fitted((Section((Item(TABLE),)), Section(many, "object", joint="\n\n")), URL)
    assert LONGEST_COMMENT - 5000 < len(text) <= LONGEST_COMMENT
