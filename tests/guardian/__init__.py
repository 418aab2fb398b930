"""What GuardKeys promises over a long time, of many keys."""
