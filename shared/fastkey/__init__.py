"""fastkey: connect users' WhiteBIT accounts, and capture the issued key's one-time secret safely."""
