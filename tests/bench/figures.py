"""One measured figure beside its yardstick."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """`ratio` is Towpath's figure divided by the yardstick's."""

    what: str
    ours: float
    yardstick: float
    unit: str
    how: str

    @property
    def ratio(self) -> float:
        return self.ours / self.yardstick

    def cells(self) -> tuple[str, str, str, str, str]:
        """As a line of the table."""
        return (
            self.what,
            f"{self.ours:,.2f} {self.unit}",
            f"{self.yardstick:,.2f} {self.unit}",
            f"{self.ratio:.2f}",
            self.how,
        )

    def values(self) -> dict[str, object]:
        """As JSON."""
        return {**asdict(self), "ratio": round(self.ratio, 4)}


def quantile(values: list[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
