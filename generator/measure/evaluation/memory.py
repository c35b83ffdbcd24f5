"""The most memory that this process held, from a moment on. Linux alone can begin anew; elsewhere nothing is told."""

from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET = "5"  # "resets the peak resident set size": proc_pid_clear_refs(5)


class Peak:
    """The peak from the moment when this was made."""

    def __init__(self) -> None:
        try:
            _CLEAR.write_text(_RESET)
            self._begun = True
        except OSError:
            self._begun = False

    def bytes(self) -> int | None:
        """The highest resident size, of the whole process: libraries, weights, texts. None where it is not told."""
        if not self._begun:
            return None
        sizes = [line.split()[1] for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(sizes[0]) * 1024 if sizes else None
