"""The usual request of each function, from `events/`."""

from collections.abc import Mapping

from local.world import TEMPLATE

_FILES = TEMPLATE.parent / "events"

# By the function's logical id, the name of its file.
USUAL: Mapping[str, str] = {
    name.partition("/")[0].title().replace("_", ""): name
    for name in (
        "authorize/ticket",
        "callback/consented",
        "capture_secret/captured",
        "complete_connection/completed",
        "delete_key/revoked",
        "detect_key/found",
        "get_connection/one",
        "guard_keys/key_alive",
        "keep_tokens/refreshed",
        "migrate_vault/nothing_to_move",
        "read_account/balance",
        "refresh_token/expired",
        "revoke_connection/active",
        "start_connection/started",
        "tell_events/activated",
        "verify_key/active",
    )
}


def event(function: str, known: Mapping[str, str]) -> str:
    """The request as JSON. known: what it speaks of, by the names that stand in the file for it."""
    text = (_FILES / f"{USUAL[function]}.json").read_text()
    for name, value in known.items():
        text = text.replace(f"<{name}>", value)
    return text
