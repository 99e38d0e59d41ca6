"""What an identity provider says in `error=` when it sends the browser back (RFC 6749 4.1.2.1)."""

from __future__ import annotations

_CHECK_REGISTRATION = (
    "The identity provider does not accept this application. Check the client id, and that the redirect URI shown in "
    "the settings is registered with it, letter for letter, as one of a web application."
)
_SIGN_IN_AGAIN = "The identity provider wants to see you. Start again, sign in, and accept what is asked."
_TRY_LATER = "The identity provider could not answer just now. Try again in a few minutes."
_ADMIN_FORBIDS = (
    "Your organisation does not allow this application. Ask its administrator to trust the application's client id, "
    "then start again."
)
_REMEDIES = {
    "access_denied": (
        "The access was declined, so nothing was connected. Start again and accept what is asked; where your "
        "organisation wants an administrator's approval, ask for that first."
    ),
    "consent_required": _SIGN_IN_AGAIN,
    "interaction_required": _SIGN_IN_AGAIN,
    "login_required": _SIGN_IN_AGAIN,
    "account_selection_required": _SIGN_IN_AGAIN,
    "unauthorized_client": _CHECK_REGISTRATION,
    "invalid_client": _CHECK_REGISTRATION,
    "invalid_request": _CHECK_REGISTRATION,
    "redirect_uri_mismatch": _CHECK_REGISTRATION,
    "unsupported_response_type": _CHECK_REGISTRATION,
    "invalid_scope": (
        "The identity provider does not know a permission that was asked for. Leave the scopes empty to ask for those "
        "of the preset, and add the mail permission to the application."
    ),
    "server_error": _TRY_LATER,
    "temporarily_unavailable": _TRY_LATER,
    "admin_policy_enforced": _ADMIN_FORBIDS,
    "org_internal": _ADMIN_FORBIDS,
}
_UNKNOWN = (
    "The identity provider did not authorize the application. Its own words say why; correct that and start again."
)


def remedy_for(error: str) -> str:
    """What to do about an `error` that came back with the browser."""
    return _REMEDIES.get(error, _UNKNOWN)
