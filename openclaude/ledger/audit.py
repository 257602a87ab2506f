"""The word that begins what a team's server logs of a request; JSON follows.

Knows: that word. Independent of: who writes the line (`gateway.team`), who reads it (`team usage`).
"""

AUDIT = "request"
