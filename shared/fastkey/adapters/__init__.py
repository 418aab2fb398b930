"""The ports, on AWS and over the network."""
