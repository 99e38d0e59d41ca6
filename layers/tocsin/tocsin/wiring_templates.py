"""Where the actions on custom templates meet adapters and the composer; apart from `wiring`, as `wiring_api`."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from tocsin.actions.access import Access
from tocsin.actions.configure_templates import ConfigureTemplates
from tocsin.adapters.audit_items import Audit
from tocsin.adapters.project_writer import ProjectWriter
from tocsin.adapters.template_store import TemplateStore
from tocsin.adapters.transactions import Transactions
from tocsin.compose.composer import Composer
from tocsin.data.samples import sample_of
from tocsin.wiring import client, config, now

if TYPE_CHECKING:
    from tocsin.compose.trial import Trial


@cache
def configure_templates() -> ConfigureTemplates:
    """The action behind the routes of templates."""
    dynamodb, table = client("dynamodb"), config().settings_table
    transactions = Transactions(dynamodb, pause=time.sleep)
    audit = Audit(table=table, retention=timedelta(days=int(config().retention_days)))
    projects = ProjectWriter(dynamodb, table, transactions=transactions, audit=audit)
    return ConfigureTemplates(
        templates=TemplateStore(dynamodb, table, transactions=transactions, audit=audit),
        projects=projects,
        access=Access(projects=projects),
        trial=_trial(),
        clock=now,
    )


def _trial() -> Trial:
    from tocsin.compose.trial import Trial  # noqa: PLC0415  (the sandbox, which no other route needs)

    return Trial(sample=sample_of, composer=Composer())
