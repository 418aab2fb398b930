"""With StaticEgress, what calls WhiteBIT does so from one address, and nothing else changes.

Nobody routes packets here: what is asked of AWS is compared, and followed from a function to the address.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.template import ROOT, WRITTEN, translated

RESOURCES = translated()
FUNCTIONS = {name: body for name, body in RESOURCES.items() if body.type == "AWS::Lambda::Function"}
NETWORK = {name: body for name, body in RESOURCES.items() if body.type.startswith("AWS::EC2::")}


# ---- Who calls WhiteBIT, by the code ---------------------------------------------------------------------------------


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def steps(path: Path) -> Iterator[Path]:
    """A module, and the use cases that it uses, and theirs."""
    yield path
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fastkey.usecases."):
            yield from steps(ROOT / "shared" / f"{node.module}.py".replace(".", "/", 2))


def calls_whitebit(function: str) -> bool:
    """Whether its handler leads to some `world.whitebit`."""
    handler = WRITTEN["Resources"][function]["Properties"]["Handler"].removesuffix(".handler")
    modules = {parsed(path) for path in steps(ROOT / "functions" / f"{handler}.py")}
    nodes = (node for module in modules for node in ast.walk(module))
    return any(isinstance(node, ast.Attribute) and node.attr == "whitebit" for node in nodes)


def test_those_functions_are_in_the_vpc_that_call_whitebit_and_no_others() -> None:
    callers = {name for name in FUNCTIONS if calls_whitebit(name)}
    assert callers
    assert callers == {name for name, body in FUNCTIONS.items() if "VpcConfig" in body.properties}


# ---- The way out -----------------------------------------------------------------------------------------------------


def of_type(resource_type: str) -> dict[str, dict[str, Any]]:
    return {name: dict(body.properties) for name, body in NETWORK.items() if body.type == f"AWS::EC2::{resource_type}"}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def way_out(subnet: str) -> dict[str, Any]:
    """The one route that leads out of a subnet."""
    (table,) = [
        association["RouteTableId"]
        for association in of_type("SubnetRouteTableAssociation").values()
        if association["SubnetId"] == ref(subnet)
    ]
    (route,) = [route for route in of_type("Route").values() if route["RouteTableId"] == table]
    assert route.pop("DestinationCidrBlock") == "0.0.0.0/0"
    return route


def test_whatever_leaves_the_functions_has_the_one_address() -> None:
    (nat,), (address,) = of_type("NatGateway"), of_type("EIP")
    (config,) = {str(body.properties["VpcConfig"]) for body in FUNCTIONS.values() if "VpcConfig" in body.properties}
    inside = {"SubnetIds": [ref("PrivateSubnet")], "SecurityGroupIds": [ref("EgressSecurityGroup")]}
    assert config == str({"Fn::If": ["EgressIsStatic", inside, ref("AWS::NoValue")]})
    assert way_out("PrivateSubnet") == {"RouteTableId": ref("PrivateRoutes"), "NatGatewayId": ref(nat)}
    assert NETWORK[nat].properties["AllocationId"] == {"Fn::GetAtt": [address, "AllocationId"]}
    assert NETWORK[nat].properties["SubnetId"] == ref("PublicSubnet")
    assert way_out("PublicSubnet")["GatewayId"] == ref("InternetGateway")
    assert WRITTEN["Outputs"]["EgressAddress"]["Value"] == ref(address)


def test_dynamodb_is_reached_without_the_nat_gateway() -> None:
    (endpoint,) = of_type("VPCEndpoint").values()
    assert (endpoint["VpcEndpointType"], endpoint["RouteTableIds"]) == ("Gateway", [ref("PrivateRoutes")])
    assert endpoint["ServiceName"] == {"Fn::Sub": "com.amazonaws.${AWS::Region}.dynamodb"}


def test_nobody_gets_in_and_only_https_gets_out() -> None:
    (group,) = of_type("SecurityGroup").values()
    assert group.keys() == {"GroupDescription", "SecurityGroupEgress", "VpcId"}
    (egress,) = group["SecurityGroupEgress"]
    assert (egress["IpProtocol"], egress["FromPort"], egress["ToPort"]) == ("tcp", 443, 443)
    assert not any(subnet.get("MapPublicIpOnLaunch") for subnet in of_type("Subnet").values())


def test_no_function_is_moved_before_the_way_out_is_there() -> None:
    """Each waits for its security group, because it refers to it, and that waits for the rest."""
    waits_for = set(WRITTEN["Resources"]["EgressSecurityGroup"]["DependsOn"])
    ways = of_type("SubnetRouteTableAssociation") | of_type("Route") | of_type("VPCEndpoint")
    assert waits_for == ways.keys()


def test_there_is_no_network_unless_it_is_asked_for() -> None:
    assert WRITTEN["Parameters"]["StaticEgress"]["Default"] == "off"
    assert {body.condition for body in NETWORK.values()} == {"EgressIsStatic"}
    assert WRITTEN["Conditions"]["EgressIsStatic"] == {"Fn::Equals": [ref("StaticEgress"), "on"]}
