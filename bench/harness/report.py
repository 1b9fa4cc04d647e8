"""Samples into medians, ratios, a table and lines of JSON."""

import json
import statistics
from dataclasses import dataclass, field


@dataclass
class Row:
    """What one subject gave for one figure. Smaller is better unless the figure says otherwise."""

    figure: str
    subject: str
    unit: str
    values: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


@dataclass
class Target:
    """What usvc has to reach: `limit` times the floor plus `plus`, or an absolute `most`; `least` where more is better."""

    times_floor: float | None = None
    plus: float = 0.0
    most: float | None = None
    least_of_floor: float | None = None

    def verdict(self, ours: float, floor: float | None) -> str:
        missed = []
        if self.times_floor is not None and floor is not None and ours > self.times_floor * floor + self.plus:
            missed.append(f"more than {self.times_floor:g} x floor" + (f" + {self.plus:g}" if self.plus else ""))
        if self.most is not None and ours > self.most:
            missed.append(f"more than {self.most:g}")
        if self.least_of_floor is not None and floor is not None and ours < self.least_of_floor * floor:
            missed.append(f"less than {self.least_of_floor:g} x floor")
        return "missed: " + ", ".join(missed) if missed else "reached"


@dataclass
class Figure:
    name: str
    title: str
    rows: list[Row]
    target: Target | None = None
    more_is_better: bool = False


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _best_peer(figure: Figure) -> Row | None:
    peers = [row for row in figure.rows if not row.subject.startswith(("floor", "usvc")) and row.values]
    if not peers:
        return None
    return (max if figure.more_is_better else min)(peers, key=lambda row: row.median)


def _row_of(figure: Figure, subject: str) -> Row | None:
    return next((row for row in figure.rows if row.subject == subject and row.values), None)


def table(figure: Figure) -> str:
    floor = _row_of(figure, "floor")
    lines = [f"## {figure.title}", "", "| subject | median | min | max | n | to floor |", "|---|---|---|---|---|---|"]
    for row in figure.rows:
        if not row.values:
            lines.append(f"| {row.subject} | – | – | – | 0 | {row.note} |")
            continue
        ratio = f"x {row.median / floor.median:.2f}" if floor and floor.median else "–"
        lines.append(
            f"| {row.subject} | {_number(row.median)} {row.unit} | {_number(min(row.values))} | {_number(max(row.values))} "
            f"| {len(row.values)} | {ratio}{' ' + row.note if row.note else ''} |"
        )
    ours = _row_of(figure, "usvc")
    remarks = []
    if ours and (peer := _best_peer(figure)) and peer.median:
        remarks.append(f"usvc to the best peer ({peer.subject}): x {ours.median / peer.median:.2f}")
    if ours and figure.target:
        remarks.append("target " + figure.target.verdict(ours.median, floor.median if floor else None))
    if remarks:
        lines += ["", "; ".join(remarks)]
    return "\n".join(lines) + "\n"


def json_lines(figure: Figure) -> list[str]:
    floor = _row_of(figure, "floor")
    lines = []
    for row in figure.rows:
        entry = {"figure": figure.name, "subject": row.subject, "unit": row.unit, "values": row.values, "note": row.note}
        if row.values:
            entry["median"] = row.median
            entry["to_floor"] = row.median / floor.median if floor and floor.median else None
        lines.append(json.dumps(entry))
    return lines
