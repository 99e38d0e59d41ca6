"""One read before anything is decided: who is suppressed, and what is known of the accounts that may send."""

from __future__ import annotations

from contextlib import suppress
from itertools import batched
from typing import TYPE_CHECKING, cast

from tocsin.adapters import template_items
from tocsin.adapters.settings_store import settings_key, still_stands
from tocsin.adapters.shared_items import key_of, read_shared
from tocsin.errors import SettingsChanged, TransientError
from tocsin.model.shared_item import SharedItem
from tocsin.model.suppression_scope import ALL, suppression_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, KeysAndAttributesTypeDef

    from tocsin.model.custom_template import CustomTemplate
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.project import Project
    from tocsin.model.suppression_scope import Scope

    Item = Mapping[str, AttributeValueTypeDef]

_KEYS_A_CALL = 100  # BatchGetItem's limit
_KEY_OCTETS = 1024  # a sort key's limit; a longer address can be neither suppressed nor mailed
_ROUNDS = 5


class LookUp:
    """Reads up to 100 addresses and shared items in one call."""

    def __init__(
        self, client: DynamoDBClient, *, suppressions_table: str, ephemeral_table: str, settings_table: str
    ) -> None:
        self._client = client
        self._settings = settings_table
        self._suppressions = suppressions_table
        self._ephemeral = ephemeral_table

    def __call__(
        self,
        project_id: str,
        recipients: Iterable[str],
        keys: Iterable[str],
        *,
        remembered: Iterable[Project | MailAccount] = (),
        scope: Scope = ALL,
        templates: Iterable[str] = (),
    ) -> tuple[AbstractSet[str], Sequence[SharedItem], Mapping[str, CustomTemplate]]:
        """Those of the canonical recipients that are suppressed, and the shared items under `keys`, there or not.

        Suppressed for everything, or for what `scope` names. Those of `templates` that there are come by their names.

        Raises:
            SettingsChanged: not all that is `remembered` still stands.
            TransientError: the tables did not answer for all of them.
        """
        unconfirmed = [*remembered]
        addresses = {
            suppression_key(address, one): address
            for address in recipients
            if 0 < len(address.encode()) <= _KEY_OCTETS
            for one in (ALL, scope)
        }
        wanted = [
            *((self._ephemeral, key_of(key)) for key in keys),
            *((self._settings, settings_key(one)) for one in unconfirmed),
            *((self._settings, template_items.key_of(project_id, name)) for name in templates),
            *((self._suppressions, _suppression(project_id, key)) for key in addresses),
        ]
        suppressed: set[str] = set()
        found_templates: dict[str, CustomTemplate] = {}
        shared = {key["pk"]["S"]: SharedItem(key=key["pk"]["S"]) for table, key in wanted if table == self._ephemeral}
        for part in batched(wanted, _KEYS_A_CALL, strict=False):
            for table, item in self._read(part):
                if table == self._suppressions:
                    suppressed.add(addresses[item["address"]["S"]])
                elif table == self._settings and item["sk"]["S"].startswith(template_items.PREFIX):
                    with suppress(ValueError, KeyError, TypeError):  # what is no template is none, and harms no mail
                        template = template_items.read_template(item)
                        found_templates[template.name] = template
                elif table == self._settings:
                    unconfirmed = [one for one in unconfirmed if not still_stands(one, item)]
                else:
                    shared[item["pk"]["S"]] = read_shared(item["pk"]["S"], item)
        if unconfirmed:
            raise SettingsChanged("what was remembered of the settings no longer stands")
        return suppressed, list(shared.values()), found_templates

    def _read(self, wanted: Iterable[tuple[str, Mapping[str, AttributeValueTypeDef]]]) -> Iterator[tuple[str, Item]]:
        keys: dict[str, list[Mapping[str, AttributeValueTypeDef]]] = {}
        for table, key in wanted:
            keys.setdefault(table, []).append(key)
        request: Mapping[str, KeysAndAttributesTypeDef] = {
            table: {"Keys": some, "ConsistentRead": table == self._ephemeral} for table, some in keys.items()
        }
        for _ in range(_ROUNDS):
            answer = self._client.batch_get_item(RequestItems=request)
            for table, found in answer["Responses"].items():
                yield from ((table, item) for item in found)
            if not answer["UnprocessedKeys"]:
                return
            request = cast("Mapping[str, KeysAndAttributesTypeDef]", answer["UnprocessedKeys"])
        raise TransientError("BatchGetItem did not answer for all keys")


def _suppression(project_id: str, key: str) -> dict[str, AttributeValueTypeDef]:
    return {"project_id": {"S": project_id}, "address": {"S": key}}
