"""The V4 API: account reads, signed or with a Bearer token, and the public data that clients load first."""

from flask import Blueprint, Response, jsonify, request

from local.whitebit import refusals
from local.whitebit.account import MARKETS, READS, SPOT_BALANCES
from local.whitebit.signed import SignedCall, authenticate
from local.whitebit.web.context import bearer, sandbox

api = Blueprint("api", __name__)

SIGNED = {read.signed_path: read for read in READS}
BEARER = {read.bearer_path: read for read in READS}


def signed_read() -> Response:
    ip, now = request.remote_addr or "", sandbox().clock.now()
    if not sandbox().limits.allow(ip, request.path, now):
        raise refusals.v4(429, 0, "Too many requests.")
    call = SignedCall(
        path=request.path,
        body=request.get_data(),
        payload=request.headers.get("X-TXC-PAYLOAD", ""),
        signature=request.headers.get("X-TXC-SIGNATURE", ""),
        api_key=request.headers.get("X-TXC-APIKEY", ""),
        ip=ip,
    )
    fields = authenticate(call, sandbox().keys, sandbox().options, now)
    return jsonify(SIGNED[request.path].answer(fields))


def bearer_read() -> Response:
    read = BEARER[request.path]
    bearer(read.scope)
    fields = request.get_json(silent=True)
    if not isinstance(fields, dict):
        raise refusals.invalid_payload()
    return jsonify(read.answer(fields))


for path in SIGNED:
    api.add_url_rule(path, view_func=signed_read, methods=["POST"])
for path in BEARER:
    api.add_url_rule(path, view_func=bearer_read, methods=["POST"])


@api.get("/api/v4/public/ping")
def ping() -> Response:
    return jsonify(["pong"])


@api.get("/api/v4/public/time")
def time() -> Response:
    return jsonify({"time": int(sandbox().clock.now())})


@api.get("/api/v4/public/markets")
def markets() -> Response:
    return jsonify(
        [
            {
                "name": f"{stock}_{money}",
                "stock": stock,
                "money": money,
                "stockPrec": "6",
                "moneyPrec": "2",
                "feePrec": "4",
                "makerFee": "0.1",
                "takerFee": "0.1",
                "minAmount": "0.0001",
                "minTotal": "5",
                "maxTotal": "10000000",
                "tradesEnabled": True,
                "isCollateral": False,
                "type": "spot",
            }
            for stock, money, _ in MARKETS
        ]
    )


@api.get("/api/v4/public/assets")
def assets() -> Response:
    return jsonify(
        {
            ticker: {
                "name": ticker,
                "unified_cryptoasset_id": number,
                "can_withdraw": True,
                "can_deposit": True,
                "min_withdraw": "0.001",
                "max_withdraw": "0",
                "maker_fee": "0.1",
                "taker_fee": "0.1",
                "min_deposit": "0.0001",
                "max_deposit": "0",
            }
            for number, ticker in enumerate(SPOT_BALANCES, start=1)
        }
    )
