"""The sandbox over HTTP: thin views over the state, one file for each part of WhiteBIT."""
