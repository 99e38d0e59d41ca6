"""Use the project's own template for a notification's mails, and the built-in one once that has failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.model.custom_template import template_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.actions.delivery_run import Outcome
    from tocsin.model.custom_template import BrokenTemplate, CustomTemplate
    from tocsin.model.notification import Notification


class TellOfTemplate(Protocol):
    """Who must know of a template that fails."""

    def __call__(self, template: CustomTemplate, broken: BrokenTemplate) -> None:
        """Let its admins see it. Never raises: the mails go out in any case."""
        ...


@dataclass(slots=True, kw_only=True)
class UseTemplate:
    """Of one run over one notification. `template` is used; `failed` is the one that was, and how it failed."""

    notification: Notification
    tell: TellOfTemplate
    template: CustomTemplate | None = None
    failed: tuple[CustomTemplate, BrokenTemplate] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What templates for the notification may be kept under, the first choice first."""
        return template_names(self.notification)

    def learn(self, found: Mapping[str, CustomTemplate]) -> None:
        """Use the first choice of what there is."""
        self.template = next((found[name] for name in self.names if name in found), None)

    def give_up(self, broken: BrokenTemplate) -> None:
        """Use the built-in one from now on, for everybody: one mail is not to look like this and the next like that."""
        template, self.template = self.template, None
        if template is not None:
            self.failed = template, broken
            self.tell(template, broken)

    def report(self, outcome: Outcome) -> None:
        """Say in the outcome what failed, if anything."""
        if self.failed is not None:
            template, outcome.broken_template = self.failed
            outcome.ids |= {"template": template.name, "template_version": str(template.version)}
