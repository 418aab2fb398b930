"""What fastkey takes: time, memory, calls and money, measured on this machine, next to what could not be less."""
