from waymap.graph import Graph
from waymap.order import has_circle, parts, sequence
from waymap.search import reachable, shortest


def fails(kind, call, *args):
    try:
        call(*args)
    except kind:
        return True
    return False


def city():
    graph = Graph()
    for source, target, length in (("a", "b", 4), ("a", "c", 1), ("c", "b", 2), ("b", "d", 5), ("c", "d", 8)):
        graph.add(source, target, length)
    return graph


def test_nodes_are_listed():
    """nodes() lists sources and targets by name"""
    assert city().nodes() == ["a", "b", "c", "d"]
    assert city().targets("d") == []
    assert fails(KeyError, city().targets, "x")


def test_the_shorter_of_two_edges_stays():
    """a second edge between two nodes stays only if it is shorter"""
    graph = city()
    graph.add("a", "b", 9)
    assert graph.targets("a") == [("b", 4), ("c", 1)]
    graph.add("a", "b", 0)
    assert graph.targets("a") == [("b", 0), ("c", 1)]


def test_lengths_are_not_below_zero():
    """a length below zero raises ValueError"""
    assert fails(ValueError, city().add, "a", "b", -1)


def test_reversed_edges_keep_their_length():
    """reverse() turns every edge and keeps its length"""
    other = city().reverse()
    assert other.targets("d") == [("b", 5), ("c", 8)]
    assert other.targets("a") == []
    assert other.nodes() == ["a", "b", "c", "d"]


def test_degrees_count_both_ways():
    """degree() counts edges out and in"""
    assert city().degree("a") == (2, 0)
    assert city().degree("b") == (1, 2)
    assert city().degree("d") == (0, 2)


def test_reachable_is_nearest_first():
    """reachable() lists what ways lead to, nearest first"""
    assert reachable(city(), "a") == ["a", "b", "c", "d"]
    assert reachable(city(), "c") == ["c", "b", "d"]
    assert reachable(city(), "d") == ["d"]


def test_the_shortest_way_is_found():
    """shortest() finds the way of least length"""
    assert shortest(city(), "a", "b") == (3, ["a", "c", "b"])
    assert shortest(city(), "a", "d") == (8, ["a", "c", "b", "d"])
    assert shortest(city(), "b", "b") == (0, ["b"])


def test_no_way_is_none():
    """shortest() is None where no way leads"""
    assert shortest(city(), "d", "a") is None


def test_a_sequence_respects_every_edge():
    """sequence() puts every node after all that lead to it, by name where there is a choice"""
    assert sequence(city()) == ["a", "c", "b", "d"]
    graph = Graph()
    graph.add("z", "y")
    graph.add("b", "a")
    assert sequence(graph) == ["b", "a", "z", "y"]


def test_circles_are_noticed():
    """sequence() raises ValueError for a circle, and has_circle() says so"""
    graph = city()
    assert not has_circle(graph)
    graph.add("d", "a")
    assert has_circle(graph)
    assert fails(ValueError, sequence, graph)


def test_parts_hang_together():
    """parts() are what hangs together, the largest first"""
    graph = city()
    graph.add("x", "y")
    graph.add("z", "y")
    assert parts(graph) == [["a", "b", "c", "d"], ["x", "y", "z"]]
    graph.add("k", "k")
    assert parts(graph)[-1] == ["k"]
