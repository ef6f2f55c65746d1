"""NetworkX: generators, shortest paths, centrality, flows, matching, colouring, isomorphism, trees, formats and errors."""
import io
import random

import networkx as nx


def rounded(d):
    return {k: round(v, 9) for k, v in d.items()} if isinstance(d, dict) else round(d, 9)


def main():
    print("networkx", nx.__version__)
    g = nx.karate_club_graph()
    print(g, nx.density(g), nx.diameter(g), nx.radius(g), nx.center(g), nx.transitivity(g), nx.average_clustering(g))
    for name in ("degree_centrality", "closeness_centrality", "betweenness_centrality", "load_centrality", "harmonic_centrality", "edge_betweenness_centrality",
                 "clustering", "triangles", "core_number", "square_clustering", "average_neighbor_degree", "eccentricity"):
        print(name, rounded(getattr(nx, name)(g)))
    print(nx.shortest_path(g, 16, 26), nx.shortest_path_length(g, 16)[26], list(nx.all_shortest_paths(g, 16, 26)), len(list(nx.all_simple_paths(g, 16, 26, cutoff=6))))
    print(list(nx.bfs_edges(g, 0))[:10], list(nx.dfs_preorder_nodes(g, 0)), dict(nx.all_pairs_shortest_path_length(g, 1))[5])
    print([sorted(c) for c in nx.community.greedy_modularity_communities(g)], [sorted(c) for c in nx.community.label_propagation_communities(g)],
          [sorted(c) for c in nx.community.louvain_communities(g, seed=3)], sorted(map(sorted, next(nx.community.girvan_newman(g)))))
    print(sorted(map(sorted, nx.find_cliques(g)))[:8], list(nx.articulation_points(g)), list(nx.bridges(g)), nx.node_connectivity(g), nx.edge_connectivity(g), nx.k_core(g, 4).nodes)

    rng = random.Random(5)
    d = nx.gnp_random_graph(60, 0.08, seed=7, directed=True)
    for u, v in d.edges:
        d[u][v]["weight"], d[u][v]["capacity"] = rng.randint(1, 20), rng.randint(1, 9)
    print(nx.dijkstra_path(d, 0, 40), nx.dijkstra_path_length(d, 0, 40), nx.bellman_ford_path(d, 0, 40), nx.astar_path(d, 0, 40, lambda a, b: 0), nx.bidirectional_dijkstra(d, 0, 40))
    print(rounded(nx.floyd_warshall(d)[3]), sum(len(c) for c in nx.strongly_connected_components(d)), nx.number_strongly_connected_components(d), nx.condensation(d))
    print(nx.maximum_flow(d, 0, 40)[0], nx.minimum_cut(d, 0, 40)[0], nx.maximum_flow_value(d, 0, 40, flow_func=nx.algorithms.flow.dinitz), len(list(nx.simple_cycles(nx.DiGraph([(0, 1), (1, 2), (2, 0), (1, 0), (2, 3), (3, 1)])))))
    dag = nx.DiGraph((u, v, {"weight": (u * v) % 7}) for u, v in d.edges if u < v)
    print(list(nx.topological_sort(dag))[:20], nx.dag_longest_path(dag), nx.is_directed_acyclic_graph(dag), len(list(nx.transitive_reduction(dag).edges)), list(nx.lexicographical_topological_sort(dag))[:10], nx.immediate_dominators(dag, 0))

    w = nx.Graph()
    for u, v in nx.watts_strogatz_graph(40, 4, 0.3, seed=2).edges:
        w.add_edge(u, v, weight=(u * 7 + v * 13) % 17 + 1)
    print(sorted(nx.minimum_spanning_edges(w, data=False)), nx.minimum_spanning_tree(w, algorithm="prim").size("weight"), nx.maximum_spanning_tree(w).size("weight"))
    print(sorted(map(sorted, nx.max_weight_matching(w))), nx.greedy_color(w, "DSATUR"), sorted(nx.approximation.min_weighted_vertex_cover(w)), nx.stoer_wagner(w)[0], nx.approximation.traveling_salesman_problem(w.subgraph(range(8)).copy() if nx.is_connected(w.subgraph(range(8))) else w, cycle=True)[:5])
    print(nx.is_bipartite(nx.cycle_graph(6)), nx.bipartite.hopcroft_karp_matching(nx.complete_bipartite_graph(3, 4), range(3)), nx.check_planarity(nx.complete_graph(5))[0], nx.check_planarity(nx.petersen_graph())[0], nx.check_planarity(nx.grid_2d_graph(4, 4))[0])
    print(list(nx.eulerian_circuit(nx.complete_graph(5))), nx.is_isomorphic(nx.cycle_graph(8), nx.relabel_nodes(nx.cycle_graph(8), {i: (i * 3) % 8 for i in range(8)})), nx.could_be_isomorphic(nx.path_graph(4), nx.star_graph(3)), nx.weisfeiler_lehman_graph_hash(g))
    print(nx.to_prufer_sequence(nx.balanced_tree(2, 2)), nx.wiener_index(nx.path_graph(9)), nx.tree_all_pairs_lowest_common_ancestor and dict(nx.tree_all_pairs_lowest_common_ancestor(nx.balanced_tree(2, 2, nx.DiGraph())))[(3, 5)])
    for graph in (nx.barabasi_albert_graph(50, 2, seed=1), nx.erdos_renyi_graph(50, 0.1, seed=1), nx.random_regular_graph(3, 20, seed=1), nx.powerlaw_cluster_graph(40, 3, 0.2, seed=1),
                  nx.random_geometric_graph(30, 0.3, seed=1), nx.gn_graph(20, seed=1), nx.hypercube_graph(4), nx.petersen_graph(), nx.turan_graph(9, 3), nx.stochastic_block_model([5, 6], [[0.9, 0.1], [0.1, 0.8]], seed=1)):
        print(graph, nx.degree_histogram(graph), sorted(graph.edges)[:6])

    m = nx.MultiDiGraph(name="multi")
    m.add_edge("a", "b", key="k", colour="red")
    m.add_edge("a", "b", w=2.5)
    m.add_node("c\u00e9", pos=(1, 2))
    print(m, m["a"]["b"], m.in_degree("b"), list(m.edges(keys=True, data="colour", default="none")), m.reverse().edges, m.to_undirected().edges, m.nodes.data("pos"), nx.adjacency_data(m))
    print(nx.to_dict_of_dicts(nx.path_graph(3)), nx.node_link_data(nx.path_graph(3), edges="links") if "edges" in nx.node_link_data.__code__.co_varnames else nx.node_link_data(nx.path_graph(3)), list(nx.generate_adjlist(nx.star_graph(3))), list(nx.generate_gml(nx.path_graph(2))),
          list(nx.generate_edgelist(w, data=["weight"]))[:4], nx.to_graph6_bytes(nx.petersen_graph()), nx.to_sparse6_bytes(nx.cycle_graph(7)), nx.parse_gml("graph [ node [ id 0 label \"x\" ] node [ id 1 label \"y\" ] edge [ source 0 target 1 v 2.5 ] ]").edges(data=True))
    print("\n".join(nx.generate_graphml(nx.path_graph(2))) if hasattr(nx, "generate_graphml") else "")
    nx.write_network_text(nx.balanced_tree(2, 3, create_using=nx.DiGraph), path=print, end="")
    out = io.BytesIO()
    nx.write_multiline_adjlist(nx.path_graph(3), out)
    print(len(out.getvalue().splitlines()) > 3)
    big = nx.grid_2d_graph(60, 60)
    print(nx.shortest_path_length(big, (0, 0), (59, 59)), nx.number_connected_components(big), len(nx.single_source_dijkstra_path_length(big, (0, 0))), max(nx.closeness_centrality(nx.grid_2d_graph(12, 12)).values()))
    for bad in (lambda: nx.shortest_path(nx.Graph([(0, 1), (2, 3)]), 0, 3), lambda: nx.Graph().remove_node(1), lambda: nx.topological_sort(nx.DiGraph([(0, 1), (1, 0)])).__next__(), lambda: nx.Graph([(1,)]), lambda: nx.diameter(nx.empty_graph(2)), lambda: g[99],
                lambda: nx.Graph().add_node(None), lambda: nx.freeze(nx.Graph()).add_node(1), lambda: nx.from_graph6_bytes(b"!"), lambda: nx.karate_club_graph().nodes[0:3], lambda: nx.eulerian_circuit(nx.path_graph(3)).__next__()):
        try:
            print(bad())
        except Exception as e:
            print(type(e).__name__, e)


main()
