"""Create, read, change and delete projects, as far as the caller may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.model.audit import AuditEntry, changed_fields
from tocsin.model.problem import Problem
from tocsin.model.project import is_project_id
from tocsin.model.settings_error import InvalidSettings, NotThere, Outdated, VersionNotNamed
from tocsin.model.version_tag import allows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from tocsin.actions.access import Access
    from tocsin.model.permissions import Caller
    from tocsin.model.project import Project
    from tocsin.model.project_input import ProjectInput


class Projects(Protocol):
    """Where projects are kept, read fresh."""

    def read(self, project_id: str) -> Project | None:
        """The project; None where there is none."""
        ...

    def read_some(self, project_ids: Sequence[str]) -> list[Project]:
        """Those of at most 100 that there are, by their ids."""
        ...

    def ids(self, *, after: str | None, size: int) -> list[str]:
        """The ids of some of all projects, behind the id `after`."""
        ...

    def accounts(self, project_id: str) -> frozenset[str]:
        """The ids of the project's mail accounts."""
        ...

    def save(
        self, project: Project, before: Project | None, entry: AuditEntry, *, mend: Iterable[str | None], at: datetime
    ) -> None:
        """Write it, with a mark for what is parked for the accounts `mend`, or (None) for want of one.

        Raises:
            Outdated: it is not as it was in `before`.
        """
        ...

    def delete(self, project: Project, entry: AuditEntry) -> None:
        """Delete it.

        Raises:
            InUse: it has mail accounts.
            Outdated: it is not as it was read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureProjects:
    """The action and all that it needs."""

    projects: Projects
    access: Access
    clock: Callable[[], datetime]

    def page(self, caller: Caller, *, after: str | None, size: int) -> tuple[list[Project], str | None]:
        """At most `size` of the projects that the caller may see, and the id behind which there may be more."""
        seen = caller.permissions.projects
        if seen is None:
            ids = self.projects.ids(after=after, size=size)
        else:
            ids = sorted(project_id for project_id in seen if after is None or project_id > after)[:size]
        return self.projects.read_some(ids), ids[-1] if len(ids) == size else None

    def read(self, caller: Caller, project_id: str) -> Project:
        """One project.

        Raises:
            NotThere: there is none, or it is not for this caller.
        """
        self.access.let_read(caller, project_id)
        return self._standing(project_id)

    def put(
        self,
        caller: Caller,
        project_id: str,
        written: ProjectInput,
        *,
        if_match: str | None,
        if_none_match: str | None = None,
    ) -> tuple[Project, bool]:
        """The project as it is now, and whether it is new. An admin of all projects makes new ones.

        Raises:
            NotThere, ForbiddenToChange, InvalidSettings: nothing was saved.
            VersionNotNamed: there is one, and `if_match` does not say which version of it is to be replaced.
            Outdated: it is not as `if_match` says, or there is one in spite of `if_none_match`.
        """
        before = self.projects.read(project_id) if is_project_id(project_id) else None
        if before is None and caller.may_create:
            return self._create(caller, project_id, written, if_match=if_match), True
        self.access.let_change(caller, project_id)
        before = before or self._standing(project_id)
        if if_none_match is not None:
            raise Outdated("there is a project with this id")
        if if_match is None:
            raise VersionNotNamed("If-Match is missing")
        _check_version(before, if_match)
        return self._change(caller, before, written), False

    def delete(self, caller: Caller, project_id: str, *, if_match: str | None) -> None:
        """Delete a project without mail accounts.

        Raises:
            NotThere, ForbiddenToChange: as `put`.
            InUse: it has mail accounts.
            Outdated: it is not as `if_match` says, or changes just now.
        """
        self.access.let_change(caller, project_id)
        before = self._standing(project_id)
        if if_match is not None:
            _check_version(before, if_match)
        self.projects.delete(before, self._entry(caller, project_id, "deleted"))

    def _create(self, caller: Caller, project_id: str, written: ProjectInput, *, if_match: str | None) -> Project:
        if not is_project_id(project_id):
            raise InvalidSettings([_BAD_ID])
        if if_match is not None:
            raise Outdated("there is no project to match")
        self._check_accounts(project_id, written)
        project = written.project(project_id, version=1)
        entry = self._entry(caller, project_id, "created")
        self.projects.save(project, None, entry, mend=(), at=self.clock())
        return project

    def _change(self, caller: Caller, before: Project, written: ProjectInput) -> Project:
        self._check_accounts(before.project_id, written)
        after = written.project(before.project_id, version=before.version + 1)
        fields = changed_fields(before.decided, after.decided)
        if not fields:
            return before
        entry = self._entry(caller, before.project_id, "changed", fields)
        self.projects.save(after, before, entry, mend=_mended(before, after), at=self.clock())
        return after

    def _check_accounts(self, project_id: str, written: ProjectInput) -> None:
        named = list(written.named_accounts())
        known = self.projects.accounts(project_id) if named else frozenset()
        unknown = [field for field, account_id in named if account_id not in known]
        if unknown:
            text = "The project has no mail account with this id."
            raise InvalidSettings([Problem(field=field, text=text) for field in unknown])

    def _standing(self, project_id: str) -> Project:
        project = self.projects.read(project_id)
        if project is None:
            raise NotThere("no such project")
        return project

    def _entry(self, caller: Caller, project_id: str, what: str, fields: tuple[str, ...] = ()) -> AuditEntry:
        return AuditEntry(
            project_id=project_id,
            at=self.clock(),
            admin=caller.id,
            action=f"project.{what}",
            subject=project_id,
            fields=fields,
        )


_BAD_ID = Problem(
    field="project_id", text="It is 1 to 63 of a-z, 0-9 and hyphens, and begins with no hyphen; or it is _system."
)


def _check_version(project: Project, if_match: str) -> None:
    if not allows(if_match, project.version):
        raise Outdated("If-Match names another version")


def _mended(before: Project, after: Project) -> list[str | None]:
    """Whose parked mails may go now: those without an account, and those of accounts that were named, or are now.

    What a used up month of the project parked is parked without an account.
    """
    ways = ("routes", "default_mail_account_id", "fallback_policy")
    if any(getattr(before, way) != getattr(after, way) for way in ways):
        return [None, *sorted(before.named_accounts | after.named_accounts)]
    return [None] if _is_raised(before.limits.per_month, after.limits.per_month) else []


def _is_raised(before: int | None, after: int | None) -> bool:
    return before is not None and (after is None or after > before)
