"""The steps of the redirect, as a person takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.identity_provider.registrations import MAIL_SCOPE, SCOPES

if TYPE_CHECKING:
    from playwright.sync_api import Page

FIELDS = ("consent", "username", "scope")
MAIL_LABEL = SCOPES[MAIL_SCOPE]


def decide(page: Page, *, user: str | None = None, mail: bool = True, decision: str = "Allow") -> None:
    """Decide on the provider's consent page; back at the stack when this returns."""
    if user:
        page.get_by_label(user).check()
    if not mail:
        page.get_by_label(MAIL_LABEL).uncheck()
    page.get_by_role("button", name=decision).click()
    page.wait_for_url("**/oauth/callback?*")


def callback_of(page: Page) -> str:
    """Allow on the consent page, but do not go back to the stack; where the provider sends the browser to."""
    form: dict[str, str | float | bool] = {"decision": "allow"}
    form |= {field: page.locator(f"input[name={field}]").first.input_value() for field in FIELDS}
    url = page.evaluate("document.forms[0].action")
    answer = page.context.request.post(url, form=form, max_redirects=0)
    return answer.headers["location"]
