"""What the receiver tells its callers: stored, or refused with a reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    """A stored event: how much of it counts, whether it was known already, and what of it was of no interest."""

    accepted: int
    duplicate: bool = False
    ignored: tuple[str, ...] = ()


class Refusal(Exception):
    """An answer other than 2xx, with the text that its reader needs."""

    def __init__(self, status: int, text: str, field: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.field = field
