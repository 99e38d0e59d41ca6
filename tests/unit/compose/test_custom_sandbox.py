"""What a custom template cannot do: reach beyond its values, take long, or write without end."""

from __future__ import annotations

from typing import Any

import pytest
from tocsin.compose.custom_budget import MOST_CHARACTERS
from tocsin.compose.custom_sandbox import render
from tocsin.compose.custom_values import OwnValue
from tocsin.model.custom_template import BrokenTemplate

from tests.unit.model.examples import NOW

VALUES: dict[str, Any] = {
    "title": "Down & out <b>",
    "nothing": None,
    "number": 3,
    "rows": [{"name": f"row {number}", "count": number} for number in range(1_000)],
    "words": ["a", "b"],
    "many": ["word"] * 1_000,
    "long": "word " * 4_000,
    "at": NOW,
    "object": {"items": "a field of this name", "keys": None},
    "recipient": {"name": OwnValue("nonce.name."), "role": None},
}

REFUSED = {
    "a-dunder": "{{ ''.__class__ }}",
    "a-dunder-by-key": "{{ ''['__class__'] }}",
    "a-dunder-by-filter": "{{ ''|attr('__class__') }}",
    "a-dunder-from-pieces": "{{ ''['__cla' ~ 'ss__'] }}",
    "a-private-name": "{{ _budget }}",
    "a-private-name-set": "{% set _budget = 1 %}",
    "a-method": "{{ title.upper() }}",
    "a-method-uncalled": "{{ title.upper }}",
    "a-dict-s-method": "{{ object.values }}",
    "a-list-s-method": "{{ rows.append }}",
    "str-format": "{{ '{0.__class__}'.format(title) }}",
    "percent-format": "{{ '%999999999s' % title }}",
    "self": "{{ self }}",
    "self-by-name": "{{ self._TemplateReference__context }}",
    "a-global": "{{ range(10) }}",
    "a-helper": "{{ cycler }}",
    "lipsum": "{{ lipsum(9999) }}",
    "namespace": "{% set box = namespace(a=1) %}",
    "include": "{% include 'x' %}",
    "import": "{% import 'x' as x %}",
    "from-import": "{% from 'x' import y %}",
    "extends": "{% extends 'x' %}",
    "block": "{% block content %}{% endblock %}",
    "macro": "{% macro again() %}{{ again() }}{% endmacro %}",
    "call-block": "{% call title() %}{% endcall %}",
    "filter-block": "{% filter upper %}a{% endfilter %}",
    "with": "{% with a = 1 %}{% endwith %}",
    "autoescape-off": "{% autoescape false %}{{ title }}{% endautoescape %}",
    "safe": "{{ title|safe }}",
    "escape": "{{ title|forceescape }}",
    "pprint": "{{ rows|pprint }}",
    "format-filter": "{{ '%s'|format(title) }}",
    "center": "{{ title|center(1000000000) }}",
    "indent": "{{ title|indent(1000000000) }}",
    "map": "{{ rows|map(attribute='__class__') }}",
    "tojson": "{{ rows|tojson }}",
    "bounded-by-name": "{{ rows|bounded_(0, 0) }}",
    "sameas": "{{ title is sameas title }}",
    "recursive-loop": "{% for row in rows recursive %}{{ loop(rows) }}{% endfor %}",
    "a-slice": "{{ rows[:5] }}",
    "power": "{{ 9 ** 999999999 }}",
    "modulo": "{{ 9 % 2 }}",
    "a-repeated-text": "{{ 'a' * 1000000000 }}",
    "a-repeated-list": "{{ [1] * 1000000000 }}",
    "a-repeated-text-the-other-way": "{{ 1000000000 * title }}",
    "added-texts": "{{ title + title }}",
    "added-lists": "{{ rows + rows }}",
    "a-number-beyond-measure": "{{ 999999999999 * 999999999999 * 999999999999 }}",
    "a-number-of-thousands-of-digits": "{{ " + "9" * 5_000 + " }}",
    "division-by-zero": "{{ 1 / 0 }}",
    "a-list-written": "{{ rows }}",
    "an-object-written": "{{ object }}",
    "a-comparison-of-lists": "{{ rows == rows }}",
    "comparisons-in-a-row": "{{ 1 < 2 < 3 }}",
    "an-object-written-out": "{{ {'a': 1} }}",
    "a-loop-over-a-text": "{% for letter in title %}{{ letter }}{% endfor %}",
    "a-loop-over-an-object": "{% for name in object %}{{ name }}{% endfor %}",
    "doubling-by-lists": "{% set a = words %}" + "{% set a = [a, a] %}" * 30 + "{{ a|join }}",
    "set-of-a-block": "{% set a %}{{ title }}{% endset %}{{ a }}",
    "thousands-of-brackets": "{{ " + "(" * 10_000 + "1" + ")" * 10_000 + " }}",
    "hundreds-of-conditions": "{% if title %}" * 500 + "{% endif %}" * 500,
    "thousands-of-conditions": "{% if title %}" * 3_000 + "{% endif %}" * 3_000,
    "loops-25-deep": "{% for a in words %}" * 25 + "{% endfor %}" * 25,
    "thousands-of-expressions": "{{ 1 }}" * 6_000,
    "no-jinja": "{{ title ",
    "an-unknown-tag": "{% exec title %}",
    "an-undefined-name": "{{ titel }}",
    "an-undefined-field": "{{ object.nope }}",
    "a-field-of-nothing": "{{ nothing.field }}",
    "a-call-of-nothing": "{{ nothing() }}",
    "recipients-compared": "{{ recipient.name == 'Ana' }}",
    "recipients-filtered": "{{ recipient.name|upper }}",
    "recipients-put-together": "{{ 'Dear ' ~ recipient.name }}",
    "recipients-searched": "{{ 'Ana' in recipient.name }}",
    "recipients-counted": "{{ recipient.name|length }}",
    "recipients-in-a-list": "{{ [recipient.name]|join }}",
    "recipients-asked": "{{ recipient.name.stand_in }}",
    "recipients-set-and-filtered": "{% set name = recipient.name %}{{ name|lower }}",
}

ENDLESS = {
    "loops-in-loops": "{% for a in rows %}{% for b in rows %}{% for c in rows %}x{% endfor %}{% endfor %}{% endfor %}",
    "an-idle-loop-in-a-loop": "{% for a in rows %}{% for b in rows if b.count > 999 %}{% endfor %}{% endfor %}",
    "a-long-text-in-a-loop": "{% for a in rows %}" + "x" * 1_000 + "{% endfor %}",
    "a-value-in-a-loop": "{% for a in rows %}{% for b in words %}{{ title }}{{ title }}{% endfor %}{% endfor %}" * 2,
    "doubling-by-concatenation": "{% set a = title ~ title %}" + "{% set a = a ~ a %}" * 40,
    "a-long-else-of-an-inner-loop": "{% for a in rows %}{% for b in [] %}{% else %}"
    + "x" * 1_000
    + "{% endfor %}{% endfor %}",
    "a-long-list-in-a-loop": "{% for a in rows %}{% if many|listed %}{% endif %}{% endfor %}",
    "a-long-join-in-a-loop": "{% for a in rows %}{% if many|join %}{% endif %}{% endfor %}",
    "a-long-text-changed-in-a-loop": "{% for a in rows %}{% if long|lines|upper|word %}{% endif %}{% endfor %}",
    "markdown-in-a-loop": "{% for a in rows %}{% if long|markdown %}{% endif %}{% endfor %}",
    "moments-in-a-loop": "{% for a in rows %}{{ at }}{{ at }}{{ at }}{{ at }}{{ at }}{% endfor %}",
    "moments-by-filters": "{% for a in rows %}{% if " + "at|day and at|time and " * 3 + "at %}{% endif %}{% endfor %}",
    "a-search-in-a-loop": "{% for a in rows %}{{ a.name in many }}{% endfor %}",
    "a-separator-in-a-join": "{{ words|join('" + "x" * 29_000 + "') }}" * 5,
}


@pytest.mark.parametrize("part", ["text", "html"])
@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_no_custom_template_does_this(source: str, part: Any) -> None:  # noqa: ANN401  (one of the parts)
    with pytest.raises(BrokenTemplate) as broken:
        render(source, part, VALUES)

    assert broken.value.part == part
    assert not any(value in broken.value.reason for value in ("Down", "row 1", "nonce"))


@pytest.mark.parametrize("part", ["text", "html"])
@pytest.mark.parametrize("source", ENDLESS.values(), ids=ENDLESS)
def test_none_goes_beyond_its_budget(source: str, part: Any) -> None:  # noqa: ANN401  (as above)
    with pytest.raises(BrokenTemplate, match=r"it takes too many steps|it writes more than 60,000 characters"):
        render(source, part, VALUES)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ title }}", "Down & out <b>"),
        ("{{ nothing }}|{{ nothing|upper }}|{{ nothing|default('none') }}", "||none"),
        ("{{ title|upper|truncate(6) }}", "DOWN…"),
        ("{% for row in rows if row.count < 2 %}{{ loop.index }} {{ row.name }};{% endfor %}", "1 row 0;2 row 1;"),
        ("{% for row in nothing %}x{% else %}none{% endfor %}", "none"),
        ("{% for word in words %}{{ word }}{% if not loop.last %}-{% endif %}{% endfor %}", "a-b"),
        (
            "{{ words|join('/') }} {{ words|first }} {{ words|last }} {{ words|length }} {{ words|listed }}",
            "a/b a b 2 a, b",
        ),
        (
            "{% set twice = number * 2 %}{{ twice + 1 }} {{ -number }} {{ 7 / 2 }} {{ 3.14159|round(2) }}",
            "7 -3 3.5 3.14",
        ),
        ("{{ 'a' ~ number ~ nothing }}", "a3"),
        ("{% if number > 2 and 'out' in title and 'c' not in words %}yes{% endif %}", "yes"),
        ("{{ nothing > 2 }} {{ number is odd }} {{ nothing is none }}", "false true true"),
        ("{{ words[1] }}{{ words[9] }}{{ rows[0].name }}{{ object['items'] }}", "brow 0a field of this name"),
        (
            "{{ recipient.name or 'you' }}{{ recipient.role or 'you' }}{% if recipient.name %}!{% endif %}",
            "nonce.name.you!",
        ),
        (
            "{{ at|day }} {{ at|time }}|{{ at }}",
            "Sat 21 Nov 2026 Sat 21 Nov 2026, 09:30 UTC|Sat 21 Nov 2026, 09:30 UTC",
        ),
        ("{{ 3700|duration }} {{ 99.98765|percent }} {{ 'in_progress'|word }}", "1 h 1 min 99.987% In progress"),
        ("{{ 'a\nb'|lines }} {{ '  a '|trim }}{{ 'ABC'|lower|capitalize }}", "a\nb aAbc"),
        ("{% raw %}{{ title }}{% endraw %}{# gone #}", "{{ title }}"),
        ("{{ '**loud**'|markdown }}", "loud"),
    ],
)
def test_this_is_what_templates_can_say(source: str, text: str) -> None:
    assert render(source, "text", VALUES) == text


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("{{ title }}", "Down &amp; out &lt;b&gt;"),
        ("{{ '<b>' }}", "&lt;b&gt;"),
        ("{{ '<b>' ~ title }}", "&lt;b&gt;Down &amp; out &lt;b&gt;"),
        ("{{ ('<b>'|markdown) ~ '<i>' }}", '<p style="margin:0 0 12px;">&lt;b&gt;</p>\n&lt;i&gt;'),
        ("{{ title|upper }}", "DOWN &amp; OUT &lt;B&gt;"),
        ("{{ 'a\n<b>'|lines }}", "a<br>&lt;b&gt;"),
        ("{% set a = title %}{{ a }}", "Down &amp; out &lt;b&gt;"),
        ("{{ ['<', '>']|join(title) }}", "&lt;Down &amp; out &lt;b&gt;&gt;"),
        ("{{ recipient.name }}", "nonce.name."),
    ],
)
def test_values_are_escaped_in_html_whatever_becomes_of_them(source: str, html: str) -> None:
    assert render(source, "html", VALUES) == html


def test_a_value_is_never_read_as_a_template() -> None:
    assert render("{{ title }}{{ title ~ '' }}", "text", {"title": "{{ 7 * 7 }}"}) == "{{ 7 * 7 }}{{ 7 * 7 }}"


def test_what_a_template_writes_is_written_to_the_end_of_its_budget() -> None:
    text = "x" * (MOST_CHARACTERS // 2)

    assert len(render("{{ text }}{{ text }}", "text", {"text": text})) == MOST_CHARACTERS
    with pytest.raises(BrokenTemplate, match=r"more than 60,000 characters"):
        render("{{ text }}{{ text }}{{ 1 }}", "text", {"text": text})


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("one\n\n{{ nope }}", 3),
        ("one\n{% for row in rows %}\n\n{{ row.nope }}\n{% endfor %}", 4),
        ("one\n{{ title|nope }}", 2),
        ("one\n{% nope %}", 2),
        ("one\n\n\n{{ title + 1 }}", 4),
    ],
)
def test_the_line_that_is_at_fault_is_known(source: str, line: int) -> None:
    with pytest.raises(BrokenTemplate) as broken:
        render(source, "text", VALUES)

    assert broken.value.line == line
