"""The verbs, one a file: each has `add_arguments` and `run`, and is in the table of `fastkey.ops.cli`."""
