"""What runs inside a sandbox. Never imported by the host, which reads it as text."""
