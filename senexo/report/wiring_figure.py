"""The circuit as a diagram: edges that a study can cut, with those that this study changes marked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.report.actions import actions, words
from senexo.report.drawing import INK, LOOK, SOFT, Drawn, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from senexo.report.folder import ResultFolder

WIDTH, ROW, BOX = 7.2, 0.34, (0.98, 0.22)  # inches
EDGE_VERBS = ("cut", "mutate", "connect")
FEWEST_LETTERS = 5  # of a gene's name that begins its product's (MIR34C, miR-34c-5p)


def wiring_figure(folder: ResultFolder) -> Drawn | None:
    """None where the folder has no table of edges (a model file, or an older version)."""
    if not folder.has("wiring"):
        return None
    table = folder.table("wiring")
    changed = _changed_edges(folder.study, table)
    table = table[table["present"] | table["edge"].isin(list(changed))].reset_index(drop=True)
    names = _merged(sorted({*table["source"], *table["target"]}))
    table = table.assign(begin=table["source"].map(names), finish=table["target"].map(names))
    links = list(dict.fromkeys(zip(table["begin"], table["finish"], strict=True)))
    places = _places(links)
    nodes = _changed_nodes(folder.study, set(places))
    rows = max(sum(layer == x for layer, _ in places.values()) for x in {x for x, _ in places.values()})
    figure = new_figure(WIDTH, ROW * rows + 0.75, constrained=False)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(ROW * rows + 0.75, 0)
    axes.axis("off")
    points = _points(places, ROW * rows)
    for row in table.itertuples():
        _edge(axes, points, str(row.begin), str(row.finish), str(row.sign), bool(row.edge in changed))
    for gene, product in _products(set(places)):
        _edge(axes, points, gene, product, "makes", False)
    for name, point in points.items():
        _node(axes, name, point, name in nodes)
    said = [f"{edge}: {', '.join(how)}" for edge, how in changed.items()]
    said += [f"{node}: {', '.join(how)}" for node, how in nodes.items()]
    marked = " Red: what an arm, or the null of the claim, changes. " + "; ".join(said) + "." if said else ""
    return Drawn(
        "circuit",
        "The circuit: edges that a study can cut; the cell-cycle switch that they act on is not drawn. Arrow: raises. "
        "Bar: lowers. Dotted: a gene and its product." + marked,
        "Diagram of the circuit. " + "; ".join(f"{r.source} {r.sign} {r.target}" for r in table.itertuples()) + "."
        + marked,
        table.drop(columns=["begin", "finish"]).assign(
            changed_by=[", ".join(changed.get(edge, [])) for edge in table["edge"]]),
        figure,
    )  # fmt: skip


def _changed_edges(study: Mapping[str, Any], table: pd.DataFrame) -> dict[str, list[str]]:
    """Edge -> how arms, or the null of the claim, change it: cut, mutated or connected."""
    found: dict[str, list[str]] = {}
    for name, arm in study["arms"].items():
        for action in actions(arm):
            if action["verb"] in EDGE_VERBS:
                for edge in table.loc[table["quantity"] == action["target"], "edge"]:
                    how = {"cut": "cut", "mutate": "site mutated", "connect": "connected"}[action["verb"]]
                    found.setdefault(edge, []).append(f"{how} in {name}")
    null = study.get("claim", {}).get("null", {})
    for verb in ("cut", "connect"):
        for pattern in null.get(verb, []):
            for edge in table["edge"]:
                if fnmatchcase(edge, pattern.replace("[", "[[]")):
                    found.setdefault(edge, []).append(f"{verb} in the null")
    return {edge: list(dict.fromkeys(how)) for edge, how in found.items()}


def _changed_nodes(study: Mapping[str, Any], nodes: set[str]) -> dict[str, list[str]]:
    """Node -> what arms do to it: knocked out, knocked down, inhibited, expressed."""
    found: dict[str, list[str]] = {}
    for name, arm in study["arms"].items():
        for action in actions(arm):
            if action["verb"] in ("knock_out", "knock_down", "inhibit", "express"):
                for node in nodes:
                    if _parts(str(action["of"]).replace("_", " ")) <= _parts(node):
                        how = words(action).removeprefix(str(action["of"]).replace("_", " ")).strip()
                        found.setdefault(node, []).append(f"{how} in {name}")
    return {node: list(dict.fromkeys(how)) for node, how in found.items()}


def _parts(name: str) -> set[str]:
    return set(re.split(r"[\s_-]+", name))


def _merged(names: list[str]) -> dict[str, str]:
    """Name -> the longest name that holds all its words: p53 is drawn as acetyl-p53, exosome as exosome release."""
    return {name: max((other for other in names if _parts(name) <= _parts(other)), key=len) for name in names}


def _products(nodes: set[str]) -> list[tuple[str, str]]:
    """(gene, product) where a node's letters begin another's: MIR34C and miR-34c-5p."""
    letters = {name: re.sub(r"[^a-z0-9]", "", name.lower()) for name in nodes}
    return [
        (gene, product)
        for gene in sorted(nodes) for product in sorted(nodes)
        if gene != product and len(letters[gene]) >= FEWEST_LETTERS and letters[product].startswith(letters[gene])
    ]  # fmt: skip


def _places(links: list[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Layer and row of every node: layers by steps from the node with most targets, rows by where neighbours stand."""
    nodes = sorted({name for link in links for name in link})
    root = max(nodes, key=lambda name: sum(begin == name for begin, _ in links))
    layer = {root: 0}
    waiting = [root]
    while waiting:
        at = waiting.pop(0)
        for begin, finish in links:
            if begin == at and finish not in layer:
                layer[finish] = layer[at] + 1
                waiting.append(finish)
    for name in nodes:  # what nothing leads to stands beside what it acts on
        if name not in layer:
            layer[name] = max(min((layer.get(f, 1) for b, f in links if b == name), default=1) - 1, 0)
    rows: dict[str, float] = {}
    for index in range(max(layer.values()) + 1):
        own = [name for name in nodes if layer[name] == index]
        leads_on = {name: [f for b, f in links if b == name and layer[f] > index] for name in own}
        before = {name: [rows[b] for b, f in links if f == name and b in rows] for name in own}
        own.sort(key=lambda name: (float(np.mean(before[name])) if before[name] else 0.0, not leads_on[name], name))
        rows |= {name: float(place) - (len(own) - 1) / 2 for place, name in enumerate(own)}
    return {name: (layer[name], round(2 * rows[name])) for name in nodes}


def _points(places: Mapping[str, tuple[int, int]], height: float) -> dict[str, tuple[float, float]]:
    layers = max(x for x, _ in places.values()) or 1
    step = (WIDTH - BOX[0] - 0.2) / layers
    return {
        name: (0.1 + BOX[0] / 2 + step * x, 0.2 + height / 2 + ROW * half / 2) for name, (x, half) in places.items()
    }


def _node(axes: Axes, name: str, point: tuple[float, float], changed: bool) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = point[0] - BOX[0] / 2, point[1] - BOX[1] / 2
    edge = LOOK if changed else SOFT
    axes.add_patch(FancyBboxPatch((x, y), *BOX, boxstyle="round,pad=0,rounding_size=0.06", facecolor="white",
                                  edgecolor=edge, linewidth=1.6 if changed else 0.8, zorder=3))  # fmt: skip
    axes.text(*point, name, ha="center", va="center", fontsize=6.8, color=LOOK if changed else INK, zorder=4)


def _edge(
    axes: Axes, points: Mapping[str, tuple[float, float]], begin: str, finish: str, sign: str, changed: bool
) -> None:
    from matplotlib.patches import FancyArrowPatch

    (x0, y0), (x1, y1) = points[begin], points[finish]
    forward = x1 > x0 + 0.01
    same = abs(x1 - x0) <= 0.01
    half = BOX[0] / 2
    if forward:
        start, end, bend = (x0 + half, y0), (x1 - half - 0.03, y1), 0.0
    elif same:
        side = 1 if y1 > y0 else -1
        start, end, bend = (x0, y0 + side * BOX[1] / 2), (x1, y1 - side * (BOX[1] / 2 + 0.03)), 0.0
    else:
        start, end, bend = (x0, y0 + BOX[1] / 2), (x1, y1 + BOX[1] / 2 + 0.03), -0.24 if sign == "inhibits" else -0.38
    style = "|-|,widthA=0,widthB=0.28" if sign == "inhibits" else "-|>,head_length=0.35,head_width=0.16"
    colour = LOOK if changed else SOFT
    axes.add_patch(FancyArrowPatch(
        start, end, arrowstyle=style, mutation_scale=12, color=colour, linewidth=1.3 if changed else 0.9,
        linestyle=":" if sign == "makes" else (0, (4, 2)) if changed else "-", shrinkA=0, shrinkB=0,
        connectionstyle=f"arc3,rad={bend}", zorder=2,
    ))  # fmt: skip
    if changed and not bend:
        axes.plot((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, "x", color=LOOK, markersize=6, markeredgewidth=1.6,
                  zorder=3)  # fmt: skip
