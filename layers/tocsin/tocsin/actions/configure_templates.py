"""Write, read, preview and delete a project's own templates, as far as the caller may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.model.audit import AuditEntry
from tocsin.model.custom_template import BUILT_IN_ONLY, PARTS
from tocsin.model.custom_template_input import template_of
from tocsin.model.notification import CATALOGUE
from tocsin.model.problem import Problem
from tocsin.model.settings_error import InvalidSettings, NotThere, Outdated, VersionNotNamed
from tocsin.model.version_tag import allows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from tocsin.actions.access import Access
    from tocsin.model.custom_template import CustomTemplate, Scope
    from tocsin.model.custom_template_input import CustomTemplateInput, Preview, PreviewWanted
    from tocsin.model.permissions import Caller
    from tocsin.model.project import Project


class Templates(Protocol):
    """Where custom templates are kept, read fresh."""

    def read(self, project_id: str, name: str) -> CustomTemplate | None:
        """The template as it stands; None where there is none."""
        ...

    def version(self, project_id: str, name: str, version: int) -> CustomTemplate | None:
        """A version that stood before, if it is still kept."""
        ...

    def latest_version(self, project_id: str, name: str) -> int:
        """The number of the last version that stood before; 0: there was none."""
        ...

    def page(self, project_id: str, *, after: str | None, size: int) -> tuple[list[CustomTemplate], str | None]:
        """Some of them by their names, behind the name `after`; and the name where the list goes on, if it does."""
        ...

    def save(self, template: CustomTemplate, before: CustomTemplate | None, entry: AuditEntry) -> None:
        """Write it.

        Raises:
            NotThere: the project was deleted.
            Outdated: it is not as it was in `before`.
        """
        ...

    def delete(self, template: CustomTemplate, entry: AuditEntry) -> None:
        """Delete it.

        Raises:
            Outdated: it is not as it was read.
        """
        ...


class Projects(Protocol):
    """Where projects are read."""

    def read(self, project_id: str) -> Project | None:
        """The project as it stands; None where there is none."""
        ...


class Trial(Protocol):
    """Tries templates out; nothing is sent."""

    def problems(self, template: CustomTemplate, project: Project) -> Sequence[Problem]:
        """Why it cannot be saved; none: it can."""
        ...

    def preview(
        self, template: CustomTemplate | None, wanted: PreviewWanted, project: Project, scope: Scope
    ) -> Preview:
        """A mail of the type as it would go out; without a template, the built-in one.

        Raises:
            InvalidSettings: the sources cannot be used, or the data are not of the type.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureTemplates:
    """The action and all that it needs."""

    templates: Templates
    projects: Projects
    access: Access
    trial: Trial
    clock: Callable[[], datetime]

    def page(
        self, caller: Caller, project_id: str, *, after: str | None, size: int
    ) -> tuple[list[CustomTemplate], str | None]:
        """At most `size` of the templates, and the name behind which there may be more.

        Raises:
            NotThere: the project is not, or is not for this caller.
        """
        self.access.let_read(caller, project_id)
        return self.templates.page(project_id, after=after, size=size)

    def read(self, caller: Caller, project_id: str, scope: Scope, *, version: int | None = None) -> CustomTemplate:
        """The template as it stands, or one of its last versions.

        Raises:
            NotThere: it, its version, or the project is not, or is not for this caller.
        """
        self.access.let_read(caller, project_id)
        _check_type(scope)
        template = self.templates.read(project_id, scope.name)
        if version is not None and (template is None or template.version != version):
            template = self.templates.version(project_id, scope.name, version)
        if template is None:
            raise NotThere("no such template")
        return template

    def put(
        self,
        caller: Caller,
        project_id: str,
        scope: Scope,
        written: CustomTemplateInput,
        *,
        if_match: str | None,
        if_none_match: str | None = None,
    ) -> tuple[CustomTemplate, bool]:
        """The template as it is now, and whether there was none.

        Raises:
            NotThere, ForbiddenToChange, InvalidSettings: nothing was saved.
            VersionNotNamed: there is one, and `if_match` does not say which version of it is to be replaced.
            Outdated: it is not as `if_match` says, or there is one in spite of `if_none_match`.
        """
        self.access.let_change(caller, project_id)
        _check_type(scope)
        before = self.templates.read(project_id, scope.name)
        _check_conditions(before, if_match, if_none_match)
        version = before.version if before is not None else self.templates.latest_version(project_id, scope.name)
        after = template_of(
            written,
            project_id=project_id,
            scope=scope,
            version=version + 1,
            at=self.clock(),
            by=caller.id,
        )
        fields = tuple(part for part in PARTS if before is None or before.source(part) != after.source(part))
        if before is not None and not fields:
            return before, False
        if problems := self.trial.problems(after, self._project(project_id)):
            raise InvalidSettings(problems)
        self.templates.save(after, before, self._entry(caller, after, "changed" if before else "created", fields))
        return after, before is None

    def delete(self, caller: Caller, project_id: str, scope: Scope, *, if_match: str | None) -> None:
        """Let the built-in mails go out again.

        Raises:
            NotThere, ForbiddenToChange: as `put`.
            Outdated: it is not as `if_match` says, or changes just now.
        """
        self.access.let_change(caller, project_id)
        before = self.read(caller, project_id, scope)
        if if_match is not None and not allows(if_match, before.version):
            raise Outdated("If-Match names another version")
        self.templates.delete(before, self._entry(caller, before, "deleted"))

    def preview(self, caller: Caller, project_id: str, scope: Scope, wanted: PreviewWanted) -> Preview:
        """A mail as it would go out by what is wanted, else by what is saved. Nothing is saved, and nothing sent.

        Raises:
            NotThere: the project, or the type, is not, or is not for this caller.
            InvalidSettings: the sources cannot be used, or the data are not of the type.
        """
        self.access.let_read(caller, project_id)
        _check_type(scope)
        return self.trial.preview(
            self._previewed(project_id, scope, wanted, by=caller.id), wanted, self._project(project_id), scope
        )

    def _previewed(self, project_id: str, scope: Scope, wanted: PreviewWanted, *, by: str) -> CustomTemplate | None:
        if not wanted.has_part:
            names = dict.fromkeys((scope.name, scope.type))
            return next(filter(None, (self.templates.read(project_id, name) for name in names)), None)
        return template_of(
            wanted,
            project_id=project_id,
            scope=scope,
            version=0,
            at=self.clock(),
            by=by,
        )

    def _project(self, project_id: str) -> Project:
        project = self.projects.read(project_id)
        if project is None:
            raise NotThere("no such project")
        return project

    def _entry(self, caller: Caller, template: CustomTemplate, what: str, fields: tuple[str, ...] = ()) -> AuditEntry:
        return AuditEntry(
            project_id=template.project_id,
            at=self.clock(),
            admin=caller.id,
            action=f"template.{what}",
            subject=template.name,
            fields=fields,
            details={"version": template.version},
        )


_NO_PAGE = Problem(field="status_page_id", text="Mails of this type are about no status page.")


def _check_type(scope: Scope) -> None:
    data = CATALOGUE.get(scope.type)
    if data is None or scope.type in BUILT_IN_ONLY:
        raise NotThere("no such type")
    if scope.status_page_id is not None and "status_page" not in data.model_fields:
        raise InvalidSettings([_NO_PAGE])


def _check_conditions(before: CustomTemplate | None, if_match: str | None, if_none_match: str | None) -> None:
    if before is None:
        if if_match is not None:
            raise Outdated("there is no template to match")
        return
    if if_none_match is not None:
        raise Outdated("there is a template for this type")
    if if_match is None:
        raise VersionNotNamed("If-Match is missing")
    if not allows(if_match, before.version):
        raise Outdated("If-Match names another version")
