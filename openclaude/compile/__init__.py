"""Pure: a profile and facts become a plan. No disk, clock, socket or environment."""
