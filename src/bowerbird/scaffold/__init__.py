"""Scaffolds as data: proposed, parsed, validated, archived. Never executed, never shown a verifier."""
