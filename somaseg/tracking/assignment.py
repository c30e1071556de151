"""Which candidate links are right together: the best one-to-one choice, and how probable each link is.

Every soma has at most one link to a later and one to an earlier soma. `gain` of a link is the logarithm of how much
more probable the movie is with it than with an end and a beginning in its place; so links are worth choosing from 0 on.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

_DENSE = 250_000  # entries of the table of a group that is solved as such
_MESSAGE_ROUNDS = 30
_SETTLED = 1e-4  # change of a message in one round
_ROUNDS_BETWEEN_CHECKS = 3
_LARGEST_GAIN = 30.0


def best_links(source: np.ndarray, target: np.ndarray, gain: np.ndarray, count: int) -> np.ndarray:
    """The links, bool (E,), of the one-to-one choice with the largest total gain; exact.

    Args:
        source, target: int (E,), the earlier and the later soma of each candidate; no pair twice.
        gain: float (E,). Links with a gain of 0 or less are never chosen.
        count: number of somas.

    >>> best_links(np.array([0, 0, 1]), np.array([2, 3, 2]), np.array([5.0, 4.0, 3.0]), 4).tolist()
    [False, True, True]
    """
    chosen = np.zeros(len(gain), bool)
    worth = np.flatnonzero(gain > 0)
    s, t, g = source[worth], target[worth], gain[worth]
    alone = (np.bincount(s, minlength=count)[s] == 1) & (np.bincount(t, minlength=count)[t] == 1)
    chosen[worth[alone]] = True
    worth, s, t, g = worth[~alone], s[~alone], t[~alone], g[~alone]
    for part in _groups(s, t, count):
        rows, row = np.unique(s[part], return_inverse=True)
        columns, column = np.unique(t[part], return_inverse=True)
        if len(rows) * len(columns) <= _DENSE:
            table = np.zeros((len(rows), len(columns)))
            table[row, column] = g[part]
            picked_rows, picked_columns = linear_sum_assignment(table, maximize=True)
        else:
            picked_rows, picked_columns = _sparse_assignment(row, column, g[part], len(rows), len(columns))
        partner = np.full(len(rows), -1)
        partner[picked_rows] = picked_columns
        chosen[worth[part[partner[row] == column]]] = True
    return chosen


def _groups(source, target, count):
    """Indices of the links of each group that shares no soma with another one."""
    graph = csr_matrix((np.ones(len(source)), (source, target + count)), shape=(2 * count, 2 * count))
    group = connected_components(graph, directed=False)[1][source]
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1) if len(order) else []


def _sparse_assignment(row, column, gain, rows, columns):
    # A column of its own for every row: not linked. All rows are matched, so a constant does not matter.
    top, own = gain.max() + 1.0, np.arange(rows)
    costs = np.concatenate([top - gain, np.full(rows, top)])
    places = np.concatenate([row, own]), np.concatenate([column, columns + own])
    return min_weight_full_bipartite_matching(csr_matrix((costs, places), shape=(rows, columns + rows)))


def link_probabilities(source: np.ndarray, target: np.ndarray, gain: np.ndarray, count: int) -> np.ndarray:
    """Probability of each candidate link, float (E,): in how many of all possible choices it stands, by their weight.

    Belief propagation, which for one-to-one choices always settles.
    Source: Williams & Lau 2014, IEEE Trans. Aerosp. Electron. Syst. 50:2942.

    >>> link_probabilities(np.array([0]), np.array([1]), np.array([0.0]), 2).tolist()
    [0.5]
    """
    weight = np.exp(np.clip(gain, -700.0, _LARGEST_GAIN))
    back = np.ones(len(gain))
    moving, settled_scaled, settled_forth = np.arange(len(gain)), np.zeros(count), np.zeros(count)
    for step in range(1, _MESSAGE_ROUNDS + 1):
        s, t, w = source[moving], target[moving], weight[moving]
        scaled = w * back[moving]
        total = (settled_scaled + np.bincount(s, scaled, minlength=count))[s]
        forth = w / (1.0 + np.maximum(total - scaled, 0.0))
        total = (settled_forth + np.bincount(t, forth, minlength=count))[t]
        new = 1.0 / (1.0 + np.maximum(total - forth, 0.0))
        change = np.abs(new - back[moving])
        back[moving] = new
        if change.max(initial=0.0) < _SETTLED:
            break
        if step % _ROUNDS_BETWEEN_CHECKS == 0:
            # Most links settle in a few rounds: those whose neighbours have settled too are left alone from here on.
            unsettled = change > _SETTLED / 10
            busy = np.bincount(s[unsettled], minlength=count)[s] + np.bincount(t[unsettled], minlength=count)[t] > 0
            settled_scaled += np.bincount(s[~busy], (w * new)[~busy], minlength=count)
            settled_forth += np.bincount(t[~busy], forth[~busy], minlength=count)
            moving = moving[busy]
    scaled = weight * back
    return scaled / (1.0 + np.bincount(source, scaled, minlength=count)[source])
