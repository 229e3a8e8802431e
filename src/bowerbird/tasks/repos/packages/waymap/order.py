"""Orders and parts of a graph."""

from waymap.search import reachable


def sequence(graph):
    """Every node after all that lead to it, by name where there is a choice. Raises ValueError for a circle."""
    left = {node: graph.degree(node)[1] for node in graph.nodes()}
    order = []
    while left:
        ready = sorted(node for node, count in left.items() if count == 0)
        if not ready:
            raise ValueError("a circle")
        node = ready[0]
        order.append(node)
        del left[node]
        for target, _ in graph.targets(node):
            left[target] -= 1
    return order


def has_circle(graph):
    try:
        sequence(graph)
    except ValueError:
        return True
    return False


def parts(graph):
    """Sets of nodes that hang together whichever way edges point, as sorted lists, the largest first."""
    back = graph.reverse()
    found = []
    seen = set()
    for node in graph.nodes():
        if node in seen:
            continue
        part = {node}
        before = 0
        while len(part) > before:
            before = len(part)
            for member in sorted(part):
                part.update(reachable(graph, member))
                part.update(reachable(back, member))
        seen |= part
        found.append(sorted(part))
    return sorted(found, key=lambda part: (-len(part), part))
