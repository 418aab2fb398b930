"""The rules, pure: nothing here knows AWS, HTTP or the clock."""
