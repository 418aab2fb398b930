"""The operator's command line: `python -m fastkey.ops --stack NAME VERB`.

One file a verb, in `verbs/`. It works with the operator's own AWS credentials, for which the stack's `OperatorPolicy`
is enough; with that, no secret can be read, and none is ever shown.
"""
