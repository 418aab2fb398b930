"""All of it in one process, without real time: a seed decides what goes wrong, and after every step it is checked what
must hold.
"""
