"""The page that shows all mails side by side: pictures, text parts, sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined

from tests.contract.sizes_page import LARGEST

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of a mail; `overflow` is by how many pixels it is wider than its window."""

    file: str
    width: int
    scheme: str
    overflow: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A mail with its pictures."""

    type: str
    subject: str
    text: str
    html_octets: int
    text_octets: int
    pictures: Sequence[Picture]


def page(shown: Sequence[Shown]) -> str:
    """The page, whose pictures lie beside it."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_PAGE).render(shown=shown, largest=LARGEST)


_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Mails</title>
<style>
body { margin: 24px; font: 15px/1.5 system-ui, sans-serif; color: #101828; }
table { border-collapse: collapse; }
td, th { padding: 4px 16px 4px 0; border-bottom: 1px solid #eaecf0; text-align: left; }
.number { text-align: right; }
.bad { color: #b42318; font-weight: bold; }
.mail { display: flex; gap: 16px; align-items: flex-start; overflow-x: auto; padding-bottom: 24px; }
.mail figure { margin: 0; flex: none; }
.mail pre { flex: none; width: 600px; margin: 24px 0 0; padding: 12px; background: #f2f4f7; white-space: pre-wrap; }
img { border: 1px solid #d0d5dd; }
</style>
<h1>Mails</h1>
<table>
<tr><th>type</th><th>subject</th><th>HTML, octets</th><th>text, octets</th><th>too wide by</th></tr>
{% for mail in shown %}
<tr>
<td><a href="#{{ mail.type }}">{{ mail.type }}</a></td>
<td>{{ mail.subject }}</td>
<td class="number{{ ' bad' if mail.html_octets > largest }}">{{ mail.html_octets }}</td>
<td class="number{{ ' bad' if mail.text_octets > largest }}">{{ mail.text_octets }}</td>
{% set overflow = mail.pictures|map(attribute="overflow")|max %}
<td class="number{{ ' bad' if overflow }}">{{ overflow }}</td>
</tr>
{% endfor %}
</table>
{% for mail in shown %}
<h2 id="{{ mail.type }}">{{ mail.type }}: {{ mail.subject }}</h2>
<div class="mail">
{% for picture in mail.pictures %}
<figure>
<figcaption>{{ picture.width }} px, {{ picture.scheme }}</figcaption>
<a href="{{ mail.type }}.html"><img src="{{ picture.file }}" alt="{{ mail.type }}" width="{{ picture.width }}"></a>
</figure>
{% endfor %}
<pre>{{ mail.text }}</pre>
</div>
{% endfor %}
</html>
"""
