"""The ports in memory: small, readable, deterministic. `tests/contract` holds them to what the adapters do."""
