"""Custom templates tried out before they are saved, and mails previewed; nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from itertools import product
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from tocsin.compose.composer import CannotCompose
from tocsin.compose.custom_rules import findings, unknown_names
from tocsin.compose.custom_sandbox import parsed
from tocsin.compose.custom_variables import variables_for
from tocsin.compose.reader import LANGUAGES
from tocsin.model.custom_template import PARTS, BrokenTemplate
from tocsin.model.custom_template_input import Preview
from tocsin.model.mail_account import Sender
from tocsin.model.notification import CATALOGUE, Notification
from tocsin.model.problem import Problem
from tocsin.model.settings_error import InvalidSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from email.message import EmailMessage

    from tocsin.compose.composer import Composer
    from tocsin.compose.custom_rules import Finding
    from tocsin.model.custom_template import CustomTemplate, Part, Scope
    from tocsin.model.custom_template_input import PreviewWanted
    from tocsin.model.project import Project


_MOST_PROBLEMS = 20
_NO_MAIL = Problem(field="data", text="No mail can be made of them.")
_NOBODY = {"email": "preview@example.org", "name": "Ana Pérez", "role": "owner"}
_OWN_LINKS = {
    "unsubscribe_url": "https://status.example.org/unsubscribe/preview",
    "manage_url": "https://status.example.org/subscriptions/preview",
}
_SENDER = Sender(email="preview@example.org")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Tries with an event's data; `sample` gives those of a type, with every field filled."""

    sample: Callable[[str], Mapping[str, Any]]
    composer: Composer

    def problems(self, template: CustomTemplate, project: Project) -> list[Problem]:
        """Why it cannot be saved: what its sources may not have, else how it fails with data in full, and the least."""
        found = [problem for part in PARTS for problem in _problems_of(template, part)]
        if found:
            return found[:_MOST_PROBLEMS]
        full = {**self.sample(template.type), **_about(template.scope.status_page_id, self.sample(template.type))}
        least = _least(CATALOGUE[template.type], full)
        try:
            for data, recipient in product((full, least), _recipients(template)):
                self._mail(template, project, template.type, data, recipient)
        except BrokenTemplate as broken:
            return [_problem(broken)]
        return []

    def preview(
        self, template: CustomTemplate | None, wanted: PreviewWanted, project: Project, scope: Scope
    ) -> Preview:
        """A mail of the type as it would go out; without a template, the built-in one.

        Raises:
            InvalidSettings: the sources cannot be used, or the data are not of the type.
        """
        if template is not None and (found := [one for part in PARTS for one in _problems_of(template, part)]):
            raise InvalidSettings(found[:_MOST_PROBLEMS])
        data = wanted.data if wanted.data is not None else self.sample(scope.type)
        recipient = _NOBODY | _OWN_LINKS | {"locale": wanted.locale, "time_zone": wanted.time_zone}
        try:
            mail = self._mail(template, project, scope.type, {**data, **_about(scope.status_page_id, data)}, recipient)
        except BrokenTemplate as broken:
            raise InvalidSettings([_problem(broken)]) from None
        except ValidationError as error:
            raise InvalidSettings(_problems_of_data(error)) from None
        except CannotCompose:
            raise InvalidSettings([_NO_MAIL]) from None
        return Preview(
            subject=str(mail["Subject"]),
            text=_body(mail, "plain"),
            html=_body(mail, "html"),
            custom_parts=tuple(part for part in PARTS if template is not None and template.source(part) is not None),
        )

    def _mail(
        self,
        template: CustomTemplate | None,
        project: Project,
        type_: str,
        data: Mapping[str, Any],
        recipient: Mapping[str, Any],
    ) -> EmailMessage:
        notification = _notification(type_, project, data, recipient)
        [reader] = notification.data.recipients or ()
        page = getattr(notification.data, "status_page", None)
        mail = self.composer.compose(
            notification,
            reader,
            sender=_SENDER,
            message_id="<preview@example.org>",
            thread_root="<thread.preview@example.org>",
            at=datetime.now(UTC),
            look=replace(project.look(page.id if page is not None else None), template=template),
        )
        return message_from_bytes(mail.content, policy=policy.default)


def _recipients(template: CustomTemplate) -> Iterator[Mapping[str, str]]:
    """Somebody of whom nothing is known, and somebody of whom all is; of each language, if a part asks for it."""
    yield {"email": _NOBODY["email"]}
    asks = any("reader" in (template.source(part) or "") for part in PARTS)
    yield from (_NOBODY | _OWN_LINKS | {"locale": language} for language in (LANGUAGES if asks else LANGUAGES[:1]))


def _problems_of(template: CustomTemplate, part: Part) -> Iterator[Problem]:
    source = template.source(part)
    if source is None:
        return
    try:
        tree = parsed(source, part)
    except BrokenTemplate as broken:
        yield _problem(broken)
        return
    found = list(findings(tree)) or list(unknown_names(tree, variables_for(template.type, part)))
    yield from (_found(finding, part) for finding in found)


def _found(finding: Finding, part: Part) -> Problem:
    return Problem(field=part, text=_capital(finding.text), line=finding.line, remedy=finding.remedy)


def _problem(broken: BrokenTemplate) -> Problem:
    return Problem(field=broken.part, text=_capital(broken.reason), line=broken.line, remedy=broken.remedy)


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _about(status_page_id: str | None, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data's status page, if a template is for one."""
    if status_page_id is None or not isinstance(data.get("status_page"), dict):
        return {}
    return {"status_page": data["status_page"] | {"id": status_page_id}}


def _notification(type_: str, project: Project, data: Mapping[str, Any], recipient: Mapping[str, Any]) -> Notification:
    whole = {
        **data,
        "project": {"id": _EVENTS_PROJECT, "name": project.name},
        "recipients": [dict(recipient)],
        "recipients_ref": None,
        "options": {},
    }
    return Notification(
        source="/preview",
        id="preview",
        type=type_,
        time=datetime.now(UTC),
        subject=None,
        data=CATALOGUE[type_].model_validate(whole),
    )


_EVENTS_PROJECT = "preview"  # no event names `_system`, whose templates are tried out too


def _least(model: type[BaseModel], data: Mapping[str, Any]) -> dict[str, Any]:
    """What an event of the type must hold, of `data`."""
    return {
        name: _least_value(field.annotation, data[name])
        for name, field in model.model_fields.items()
        if field.is_required() and name in data
    }


def _least_value(annotation: Any, value: Any) -> Any:  # noqa: ANN401  (JSON, and its model)
    if get_origin(annotation) is tuple and isinstance(value, list):
        return [_least_value(get_args(annotation)[0], item) for item in value]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and isinstance(value, dict):
        return _least(annotation, value)
    return value


def _problems_of_data(error: ValidationError) -> Sequence[Problem]:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        Problem(field=".".join(["data", *map(str, one["loc"])]), text=one["msg"].removeprefix("Value error, "))
        for one in problems[:_MOST_PROBLEMS]
    ]


def _body(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")
