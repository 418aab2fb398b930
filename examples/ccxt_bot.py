"""Reads a balance with ccxt, as a bot does before it trades: python examples/ccxt_bot.py CONNECTION_ID"""

import os
import sys

import ccxt

from fastkey.client import Client

client = Client(os.environ["CONNECTIONS_TABLE"], os.environ["KEYS_ARN"], os.environ["WHITEBIT_URL"])
key = client.key(sys.argv[1])  # anew in each round: it raises NoKey once the user has disconnected
exchange = ccxt.whitebit({"apiKey": key.external_id, "secret": key.secret.reveal(), "options": {"nonceWindow": True}})
api = os.environ["WHITEBIT_URL"] + "/api/v4"
exchange.urls["api"]["v4"] = {"public": f"{api}/public", "private": api}
print(exchange.fetch_balance()["total"])
