"""What an admin writes of a mail account, held against its provider's preset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.data.presets import preset_of
from tocsin.model import preset_filling
from tocsin.model.preset_problems import preset_problems
from tocsin.model.problem import Problem
from tocsin.model.settings_error import InvalidSettings

if TYPE_CHECKING:
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.mail_account_input import MailAccountInput

_UNKNOWN = Problem(
    field="provider",
    text="No provider is known by this name. GET /providers lists those that are; for any other server choose generic.",
)


def filled(written: MailAccountInput) -> MailAccountInput:
    """What an admin wrote, with what was left out as the preset has it.

    Raises:
        InvalidSettings: the provider is unknown, or something is left out that its preset does not know.
    """
    preset = preset_of(written.provider, host=written.relay.host)
    if preset is None:
        raise InvalidSettings([_UNKNOWN])
    return preset_filling.filled(written, preset)


def problems(account: MailAccount) -> list[Problem]:
    """What in the account's settings goes against its preset, in words for its admin; empty: nothing."""
    preset = preset_of(account.provider, host=account.relay.host)
    return [_UNKNOWN] if preset is None else preset_problems(account, preset)
