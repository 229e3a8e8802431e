"""What can go wrong."""


class Shortage(ValueError):
    """More was asked for than is free."""

    def __init__(self, article, missing):
        super().__init__(f"{missing} of {article} are missing")
        self.article = article
        self.missing = missing
