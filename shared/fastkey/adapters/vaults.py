"""The two vaults as one."""

from fastkey.domain.connection import Connection
from fastkey.domain.key import CapturedKey
from fastkey.ports import Vaults


class BothVaults:
    """Stores keys in the vault that was chosen, and finds and shreds them in either.

    So nobody has to say where a key lies, and a choice that changes loses none. The other vault costs a call only where
    the chosen one has no key.
    """

    def __init__(self, vaults: Vaults) -> None:
        self._vaults = vaults

    def prepare(self, connection: Connection) -> None:
        self._vaults.chosen_vault.prepare(connection)

    def store(self, connection_id: str, key: CapturedKey) -> None:
        self._vaults.chosen_vault.store(connection_id, key)

    def find(self, connection_id: str) -> CapturedKey | None:
        # A key that is moved is in both for a minute: it does not slip by in between.
        return self._vaults.chosen_vault.find(connection_id) or self._vaults.other_vault.find(connection_id)

    def shred(self, connection_id: str) -> None:
        self._vaults.chosen_vault.shred(connection_id)
        self._vaults.other_vault.shred(connection_id)
