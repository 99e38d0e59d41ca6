"""Deliver one chunk of a notification, by settings that are a few seconds old where that is enough."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tocsin.actions.choose_account import is_to_admins
from tocsin.actions.chunk_run import ChunkRun
from tocsin.actions.gate import Gate
from tocsin.actions.judge import Judge
from tocsin.actions.keep_title import KeepTitle
from tocsin.actions.storm import Storm
from tocsin.actions.use_template import UseTemplate
from tocsin.actions.write_mail import WriteMail, supplement_for
from tocsin.errors import InvalidNotification, SettingsChanged
from tocsin.model.custom_template import status_page_of
from tocsin.model.retry import expires_at, route_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from tocsin.actions.delivery_ports import (
        AccountNotices,
        Bus,
        ChunkJournal,
        Composer,
        LookUp,
        OfferWayOut,
        SendDigest,
        Sessions,
        SettingsStore,
        TrackLinks,
    )
    from tocsin.actions.delivery_run import Outcome, TimeLeft
    from tocsin.actions.judge import Remedies
    from tocsin.actions.log_in import LogIn
    from tocsin.actions.supplement_mail import Supplements
    from tocsin.actions.use_template import TellOfTemplate
    from tocsin.model.attachment import AttachedFile
    from tocsin.model.chunk import Chunk
    from tocsin.model.mail_account import Limits, MailAccount
    from tocsin.model.notification import Notification
    from tocsin.model.project import ProjectSettings
    from tocsin.model.shared_item import SharedItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """The action and all that it needs."""

    settings: SettingsStore
    log_in: LogIn
    look_up: LookUp
    limits: Callable[[MailAccount], Limits]
    notices: AccountNotices
    composer: Composer
    sessions: Sessions
    remedies: Remedies
    bus: Bus
    supplements: Supplements
    send_digest: SendDigest
    write_counts: Callable[[Sequence[SharedItem]], None]
    track: TrackLinks
    offer_way_out: OfferWayOut
    tell_of_template: TellOfTemplate
    clock: Callable[[], datetime]
    jitter: Callable[[], float]

    def __call__(
        self,
        notification: Notification,
        chunk: Chunk,
        journal: ChunkJournal,
        *,
        time_left: TimeLeft,
        files: Callable[[], Sequence[AttachedFile]] = tuple,
    ) -> Outcome:
        """Bring every delivery of the chunk that is due one step further. `files` reads what goes along, if anything.

        Raises:
            InvalidNotification: the project is unknown.
            TransientError: try the whole chunk again; what is journaled stands.
        """
        if not is_to_admins(notification):  # such a one may go by any account, and which there are must be read
            with suppress(SettingsChanged):
                return self._run(notification, chunk, journal, time_left, self.settings.remembered, files).run()
        return self._run(notification, chunk, journal, time_left, self.settings.project, files).run()

    def _run(
        self,
        notification: Notification,
        chunk: Chunk,
        journal: ChunkJournal,
        time_left: TimeLeft,
        read_settings: Callable[[str], ProjectSettings | None],
        files: Callable[[], Sequence[AttachedFile]],
    ) -> ChunkRun:
        settings = read_settings(notification.project_id)
        if settings is None:
            raise unknown_project()
        items: dict[str, SharedItem] = {}
        return ChunkRun(
            deliver=self,
            notification=notification,
            chunk=chunk,
            journal=journal,
            settings=settings,
            read_settings=read_settings,
            time_left=time_left,
            write_mail=WriteMail(
                composer=self.composer,
                notification=notification,
                settings=settings,
                clock=self.clock,
                supplement=supplement_for(
                    notification, self.supplements, files, project=settings.project, received_at=journal.received_at
                ),
                links=self.track(notification, chunk, settings.project.tracking, since=journal.received_at),
                way_out=self.offer_way_out(notification, since=journal.received_at),
                template=UseTemplate(notification=notification, tell=self.tell_of_template),
                keep_title=KeepTitle(
                    notification=notification,
                    style=settings.project.look(status_page_of(notification)).subject_style,
                    items=items,
                    writes=chunk.number == 0,
                    clock=self.clock,
                ),
            ),
            gate=Gate(
                limits=self.limits,
                project=None if is_to_admins(notification) else settings.project,
                route=route_of(notification),
                clock=self.clock,
                jitter=self.jitter,
                items=items,
            ),
            storm=Storm(
                notification=notification,
                control=settings.project.storm_control,
                clock=self.clock,
                jitter=self.jitter,
                write_ahead=self.write_counts,
            ),
            judge=Judge(
                remedies=self.remedies,
                route=route_of(notification),
                resubmit_unknown=settings.project.on_unknown == "resubmit",
                expires_at=expires_at(notification, received_at=journal.received_at),
                is_perishable=notification.data.ends_at(journal.received_at) is not None,
                goes_by_any=is_to_admins(notification),
            ),
        )


def unknown_project() -> InvalidNotification:
    """The rejection of an event whose project is not known."""
    return InvalidNotification("unknown_project", "there is no project with this data.project.id")
