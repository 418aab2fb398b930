"""The settings of a deployment, as the template puts them into the environment."""

from tests.fakes.world import RETURN_URL

ENVIRONMENT = {
    "CLIENT_ID": "client-1",
    "CLIENT_SECRET_NAME": "whitebit-client-secret",
    "WHITEBIT_BASE_URL": "https://whitebit.com",
    "PUBLIC_URL": "https://fastkey.example",
    "ALLOWED_RETURN_URLS": RETURN_URL,
    "BEARER_READS": "off",
    "MAXIMUM_PERMISSIONS": "withdraw",
    "VAULT": "secretsmanager",
    "STARTS_TABLE": "Starts",
    "LIMITS_TABLE": "Limits",
    "AUTHORIZATIONS_TABLE": "Authorizations",
    "CONNECTIONS_TABLE": "Connections",
    "KEY_HOLDERS_TABLE": "KeyHolders",
    "SEALING_KEY_ARN": "arn:aws:kms:eu-west-1:123456789012:key/sealing",
    "KEYS_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:fastkey/keys/",
    "KEYS_TABLE": "Keys",
    "PROVISION_KEY_ARN": "arn:aws:states:eu-west-1:123456789012:stateMachine:provision-key",
    "REVOKE_KEY_ARN": "arn:aws:states:eu-west-1:123456789012:stateMachine:revoke-key",
    "UNTOLD_EVENTS_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/untold-events",
}
