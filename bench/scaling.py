"""What two threads tell about more of them: Amdahl's law."""

from __future__ import annotations

from typing import NamedTuple


class Scaling(NamedTuple):
    """What two threads bring, and what the machine would have allowed."""

    speed_up: float  # of two threads against one
    ceiling: float  # of two processes against one

    @property
    def tells(self) -> bool:
        """Whether a second core brought enough in this run that two threads tell anything, and not more than it can:
        then it was the measurement of one that was disturbed."""
        return 1.5 <= self.ceiling <= 2.2

    @property
    def share(self) -> float | None:
        return self.speed_up / self.ceiling if self.tells else None

    @property
    def serial(self) -> float | None:
        """The part of the work that two threads do not share, by Amdahl's law with the ceiling in the place of 2."""
        if not self.tells:
            return None
        return min(1.0, max(0.0, (self.ceiling / self.speed_up - 1) / (self.ceiling - 1)))

    def projected(self, cores: int) -> float | None:
        """By Amdahl's law: the speed-up on so many cores of which each is as fast as one alone here."""
        return None if self.serial is None else 1 / (self.serial + (1 - self.serial) / cores)
