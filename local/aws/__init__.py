"""AWS on this machine: the shipped template's resources, in moto's server."""
