"""Shows what runs leave behind and what they are doing now. It reads; it never writes a record."""
