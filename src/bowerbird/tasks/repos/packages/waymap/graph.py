"""Directed graphs with lengths."""


class Graph:
    """Edges by source and target."""

    def __init__(self):
        self._edges = {}

    def add(self, source, target, length=1):
        """Raises ValueError for a length below zero. A second edge stays only if it is shorter."""
        if length < 0:
            raise ValueError("a length is not below zero")
        self._edges.setdefault(target, {})
        known = self._edges.setdefault(source, {})
        if target not in known or length < known[target]:
            known[target] = length

    def nodes(self):
        return sorted(self._edges)

    def targets(self, source):
        """Pairs of target and length, by name. Raises KeyError for an unknown node."""
        return sorted(self._edges[source].items())

    def reverse(self):
        """The same with every edge the other way."""
        other = Graph()
        for source in self.nodes():
            other._edges.setdefault(source, {})
            for target, length in self.targets(source):
                other.add(target, source, length)
        return other

    def degree(self, node):
        """Edges that leave it and edges that come in."""
        arriving = sum(1 for source in self.nodes() if node in self._edges[source])
        return len(self._edges[node]), arriving
