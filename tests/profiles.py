"""How many examples Hypothesis tries, and whether they are the same ones every time."""

from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase


def load_profile(name: str, root: Path) -> None:
    """Make `name` Hypothesis' settings: `ci`, `dev` or `nightly`; failing examples are kept below `root`/.cache.

    No profile has a deadline: a machine that is busy is not a failing test. Raises ValueError for another name.
    """
    remembered = DirectoryBasedExampleDatabase(root / ".cache" / "hypothesis")
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    profiles = {
        "ci": settings(deadline=None, database=None, derandomize=True, print_blob=True),
        "dev": settings(deadline=None, database=remembered, derandomize=False),
        "nightly": settings(
            deadline=None,
            database=remembered,
            derandomize=False,
            max_examples=5_000,
            print_blob=True,
            suppress_health_check=slow,
        ),
    }
    if name not in profiles:
        message = f"HYPOTHESIS_PROFILE is {name!r}; there are {', '.join(profiles)}"
        raise ValueError(message)
    settings.register_profile(name, profiles[name])
    settings.load_profile(name)
