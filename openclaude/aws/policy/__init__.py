"""The IAM policy that a profile needs, and the formats it is printed in."""
