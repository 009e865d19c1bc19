"""Why the forge refuses, in its own terms; a dialect turns these into status codes and words."""


class Refused(Exception):
    """The forge will not do it; `reason` is for a person."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class Unauthenticated(Refused):
    """No token, or one that the forge does not know."""


class NotFound(Refused):
    """It does not exist, or the user may not know that it does; `reason` is what was sought, such as `Branch`."""


class Forbidden(Refused):
    """The user may see it but not do that."""


class MayNotMerge(Refused):
    """The user's role does not allow merging into, or approving for, that branch."""


class Conflict(Refused):
    """The world moved, or it is there already."""


class NotMergeable(Refused):
    """The merge request is not ready: closed, a draft, checks or approvals missing, or not checked yet."""


class Unmergeable(Refused):
    """It was tried and Git could not merge it."""


class Missing(Refused):
    """A required parameter was not given, or has a value that no request can have; `reason` names it."""


class Invalid(Refused):
    """The values contradict a rule; `field` is the one at fault."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


class Taken(Refused):
    """The same emoji by the same user stands there already."""


class RefMoved(Refused):
    """A branch does not point to where the writer thought."""


class Duplicate(Conflict):
    """There is an open one of the same already."""


class Contradiction(Refused):
    """The values are well formed, but make no sense together."""
