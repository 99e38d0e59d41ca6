"""SpamAssassin finds nothing in our mails that it does not like."""

from __future__ import annotations

import os
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from tocsin.model.notification import CATALOGUE

from tests.contract import spam
from tests.unit.compose.mails import AT, sample_mail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.contract.spam import Verdict

_MOST = 1.0
_GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
"""What all such programs take for spam, so that they can be tried."""
_RECEIVED = (
    "Return-Path: <ops@acme.org>\r\n"
    "Received: from ip-10-0-3-17 (unknown [10.0.3.17])\r\n"
    " by relay.acme.org with ESMTPSA id 1f2e3d4c; {date}\r\n"
)
"""What the relay writes above a mail."""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Verdict]:
    """SpamAssassin's verdicts on all samples. Without it the tests are skipped, but in CI they fail."""
    if spam.PROGRAM is None:
        message = "SpamAssassin is not installed: .ci/install-mail-servers installs it, as root"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    received = _RECEIVED.format(date=format_datetime(AT)).encode()
    mails = {type_: sample_mail(type_) for type_ in CATALOGUE}
    mails["spam"] = sample_mail("incident.created", title=_GTUBE)
    contents = {name: received + mail.mail_object.content for name, mail in mails.items()}
    return spam.judged(contents, tmp_path_factory.mktemp("spam"))


@pytest.mark.parametrize("type_", CATALOGUE)
def test_a_mail_scores_no_more_than_one(type_: str, verdicts: Mapping[str, Verdict]) -> None:
    verdict = verdicts[type_]

    assert verdict.score <= _MOST, verdict.rules


def test_it_would_say_so_of_a_mail_that_it_does_not_like(verdicts: Mapping[str, Verdict]) -> None:
    assert verdicts["spam"].score > _MOST
