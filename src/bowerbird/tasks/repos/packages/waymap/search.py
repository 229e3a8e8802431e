"""Ways through a graph."""

from collections import deque


def reachable(graph, start):
    """All nodes that ways from `start` lead to, itself included, nearest first."""
    seen = [start]
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for target, _ in graph.targets(node):
            if target not in seen:
                seen.append(target)
                waiting.append(target)
    return seen


def shortest(graph, start, goal):
    """Length and nodes of the shortest way; None where there is none."""
    best = {start: (0, [start])}
    done = set()
    while True:
        open_nodes = [node for node in best if node not in done]
        if not open_nodes:
            return None
        node = min(open_nodes, key=lambda name: (best[name][0], name))
        length, way = best[node]
        if node == goal:
            return length, way
        done.add(node)
        for target, more in graph.targets(node):
            if target not in best or length + more < best[target][0]:
                best[target] = (length + more, [*way, target])
