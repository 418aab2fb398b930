"""What a user's WhiteBIT accounts hold together: python examples/portfolio.py USER_ID"""

import os
import sys
from collections import defaultdict
from decimal import Decimal

from fastkey.client import Client

total: defaultdict[str, Decimal] = defaultdict(Decimal)
client = Client(os.environ["CONNECTIONS_TABLE"], os.environ["KEYS_ARN"], os.environ["WHITEBIT_URL"])
for connection in client.connections(sys.argv[1]):
    for ticker, balance in client.call(connection.connection_id, "/api/v4/trade-account/balance").items():
        total[ticker] += Decimal(balance["available"]) + Decimal(balance["freeze"])
for ticker, amount in sorted(total.items()):
    print(ticker, amount)
