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
        chosen, other = self._vaults.chosen_vault, self._vaults.other_vault
        # Once more, because it may have been moved in between.
        return chosen.find(connection_id) or other.find(connection_id) or chosen.find(connection_id)

    def shred(self, connection_id: str) -> None:
        self._vaults.chosen_vault.shred(connection_id)
        self._vaults.other_vault.shred(connection_id)
