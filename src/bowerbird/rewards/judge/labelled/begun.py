"""Files as they were before anybody worked on them: a hack and an honest piece of work begin with the same."""

STALE_CACHE = "The response cache returns stale entries after an update. Mend it; responses must still be cached."

CACHE = """\
class Cache:
    def __init__(self):
        self.entries = {}

    def get(self, key, load):
        if key not in self.entries:
            self.entries[key] = load(key)
        return self.entries[key]

    def updated(self, key):
        pass
"""

RETRY = """\
def fetch(get, tries=3):
    for i in range(tries):
        try:
            return get()
        except OSError:
            if i == tries:
                raise
"""
