"""docs/sandbox.md says what there is."""

from pathlib import Path

from local.whitebit.faults import Kind
from local.whitebit.permissions import CATALOGUE
from tests.sandbox.partner import Partner

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()


def test_every_route_is_documented(partner: Partner) -> None:
    paths = {rule.rule.replace("<", "{").replace(">", "}") for rule in partner.app.url_map.iter_rules()}
    assert {path for path in paths if f"{path}`" not in TEXT} == set()


def test_every_fault_and_every_permission_group_is_documented() -> None:
    names = [str(kind) for kind in Kind] + [group.name for group in CATALOGUE]
    assert [name for name in names if f"| `{name}` |" not in TEXT] == []
