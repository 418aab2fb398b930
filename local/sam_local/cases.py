"""What each of `events/<function>/<case>.json` is to be answered with."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.sam_local.journey import Stage


@dataclass(frozen=True, slots=True)
class Case:
    """An event and what must come of it.

    given: how far the connection has come that the event speaks of. answer: what the function's answer must hold.
    asked: what the function must have asked of WhiteBIT.
    """

    given: Stage
    answer: Mapping[str, object]
    asked: tuple[str, ...] = ()


CASES = {
    "authorize/ticket": Case(Stage.STARTED, {"statusCode": 302}),
    "authorize/unknown_ticket": Case(Stage.STARTED, {"statusCode": 400}),
    "callback/consented": Case(Stage.CONSENTED, {"statusCode": 303}, ("POST /oauth2/token",)),
    "callback/denied": Case(Stage.CONSENTED, {"statusCode": 303}),
    "callback/unknown_state": Case(Stage.CONSENTED, {"statusCode": 400}),
    "capture_secret/captured": Case(
        Stage.DETECTED, {"status": "verifying"}, ("GET /oauth2/api-key/{external_id}/secret",)
    ),
    "capture_secret/second_time": Case(Stage.CAPTURED, {"status": "verifying"}),
    "complete_connection/completed": Case(Stage.AUTHORIZED, {"statusCode": 202}),
    "complete_connection/wrong_completion": Case(Stage.AUTHORIZED, {"statusCode": 403}),
    "delete_key/revoked": Case(
        Stage.ACTIVE,
        {"status": "revoked"},
        ("GET /oauth2/api-key/info", "DELETE /oauth2/api-key/{external_id}"),
    ),
    "detect_key/found": Case(Stage.COMPLETED, {"found": True}, ("GET /oauth2/api-key/info",)),
    "detect_key/not_completed": Case(Stage.AUTHORIZED, {"errorType": "CompletionMissing"}),
    "get_connection/one": Case(Stage.ACTIVE, {"statusCode": 200}),
    "get_connection/page": Case(Stage.STARTED, {"statusCode": 200}),
    "get_connection/somebody_elses": Case(Stage.STARTED, {"statusCode": 404}),
    "guard_keys/key_alive": Case(
        Stage.CHECK_DUE, {"guard_keys.alive": 1, "guard_keys.dead": 0}, ("POST /api/v4/trade-account/balance",)
    ),
    "guard_keys/key_dead": Case(
        Stage.REFUSED, {"guard_keys.alive": 0, "guard_keys.dead": 1}, ("POST /api/v4/trade-account/balance",)
    ),
    "keep_tokens/nothing_kept": Case(Stage.ACTIVE, {"keep_tokens.kept": 0, "keep_tokens.refreshed": 0}),
    "keep_tokens/refreshed": Case(
        Stage.REFRESH_DUE,
        {"keep_tokens.kept": 1, "keep_tokens.refreshed": 1, "keep_tokens.failed": 0},
        ("POST /oauth2/refresh_token", "GET /oauth2/api-key/info"),
    ),
    "migrate_vault/another_vault": Case(Stage.ACTIVE, {"errorType": "InvalidRequest"}),
    "migrate_vault/nothing_to_move": Case(Stage.ACTIVE, {"moved": 0, "left": {}, "cursor": None}),
    "read_account/balance": Case(Stage.ACTIVE, {"statusCode": 200}, ("POST /api/v4/trade-account/balance",)),
    "read_account/limit_too_high": Case(Stage.ACTIVE, {"statusCode": 400}),
    "read_account/no_key_yet": Case(Stage.COMPLETED, {"statusCode": 409}),
    "read_account/not_granted": Case(Stage.ACTIVE, {"statusCode": 403}),
    "read_account/page": Case(Stage.ACTIVE, {"statusCode": 200}, ("POST /api/v4/trade-account/order/history",)),
    "refresh_token/expired": Case(Stage.EXPIRED_TOKEN, {"status": "active"}, ("POST /oauth2/refresh_token",)),
    "refresh_token/fresh": Case(Stage.AUTHORIZED, {"status": "authorized"}),
    "revoke_connection/active": Case(Stage.ACTIVE, {"statusCode": 202}),
    "start_connection/return_url_not_allowed": Case(Stage.STARTED, {"statusCode": 400}),
    "start_connection/started": Case(Stage.STARTED, {"statusCode": 201}),
    "tell_events/activated": Case(Stage.ACTIVE, {"status": "active", "reason": None}),
    "tell_events/nothing_to_tell": Case(Stage.STARTED, {"status": "started", "reason": None}),
    "verify_key/active": Case(Stage.CAPTURED, {"status": "active"}, ("POST /api/v4/trade-account/balance",)),
}
