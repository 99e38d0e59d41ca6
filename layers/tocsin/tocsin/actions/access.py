"""Whether a caller may see or change what belongs to a project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.model.project import is_project_id
from tocsin.model.settings_error import ForbiddenToChange, NotThere

if TYPE_CHECKING:
    from tocsin.model.permissions import Caller


class Projects(Protocol):
    """Which projects there are."""

    def has_project(self, project_id: str) -> bool:
        """Whether there is such a project."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What every action on a project's settings asks first."""

    projects: Projects

    def let_read(self, caller: Caller, project_id: str) -> None:
        """Let those on who may read the project.

        It is looked up for everybody, so that the time tells no more than the answer.

        Raises:
            NotThere: there is no such project, or it is not for this caller.
        """
        is_there = is_project_id(project_id) and self.projects.has_project(project_id)
        if not (is_there and caller.may_read(project_id)):
            raise NotThere("no such project")

    def let_change(self, caller: Caller, project_id: str) -> None:
        """Let those on who may change the project.

        Raises:
            NotThere: as `let_read`.
            ForbiddenToChange: the caller may only read it.
        """
        self.let_read(caller, project_id)
        if not caller.may_change(project_id):
            raise ForbiddenToChange("the caller may only read")
