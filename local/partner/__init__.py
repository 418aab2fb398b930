"""A partner of WhiteBIT's, as small as one can be: its server signs users in, and its page calls fastkey as them."""

from local.partner.site import DEFAULT_PORT, RETURN_PATH, Partner

__all__ = ["DEFAULT_PORT", "RETURN_PATH", "Partner"]
