"""A team: who may ask its server, and what each person may use of it."""
