"""Start a module of this folder in a process of its own, wait no longer than allowed, and name what went wrong."""

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.engine.jobs import Failure, Job, Measurement, ReplyError, read_reply, to_json

ROOT = Path(__file__).resolve().parents[3]
ALLOWANCE_S = 600.0  # for loading and warm-up, beyond the limit of the run itself


class LaunchError(Exception):
    """A process gave no answer."""


@dataclass(frozen=True, slots=True)
class Launcher:
    python: dict[str, str]  # engine -> interpreter; "" is that of everything else
    logs: Path
    threads: int

    def module(self, name: str, *arguments: str, engine: str = "", log: str = "", limit_s: float = 3600.0) -> str:
        """What `python -m tests.benchmarks.engine.NAME ARGUMENTS` prints. Raises LaunchError."""
        self.logs.mkdir(parents=True, exist_ok=True)
        log_file = self.logs / f"{(log or name).replace(' ', '-').replace(',', '')}.log"
        command = [self.python.get(engine, self.python[""]), "-m", f"tests.benchmarks.engine.{name}", *arguments]
        with log_file.open("wb") as errors:
            try:
                process = subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,  # one session an engine: what it takes is counted over all its processes
                )
            except OSError as error:
                raise LaunchError(f"{command[0]} does not start: {error.strerror}") from error
            try:
                out, _ = process.communicate(timeout=limit_s)
            except subprocess.TimeoutExpired as error:
                raise LaunchError(f"did not finish in {limit_s:.0f} s") from error
            finally:
                _end(process)
                if process.stdout:
                    process.stdout.close()
        if process.returncode:
            how = f"signal {-process.returncode}" if process.returncode < 0 else f"exit code {process.returncode}"
            raise LaunchError(f"ended by {how}: {_last_line(log_file)}")
        return out.decode("utf-8", "replace")

    def prepare(self, job: Job) -> Failure | None:
        try:
            told = json.dumps(to_json(job))
            text = self.module("worker", "prepare", told, engine=job.engine, log=_log("prepare", job))
            reply: dict[str, Any] = json.loads(text)
        except (LaunchError, ValueError) as error:
            return _failure(job, str(error))
        return _failure(job, reply["failure"]) if "failure" in reply else None

    def run(self, job: Job) -> Measurement | Failure:
        try:
            text = self.module(
                "worker",
                "run",
                json.dumps(to_json(job)),
                engine=job.engine,
                log=_log("run", job),
                limit_s=job.limit_s + ALLOWANCE_S,
            )
            return read_reply(text, job)
        except (LaunchError, ReplyError) as error:
            return _failure(job, str(error))

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": str(self.threads),
            "TOKENIZERS_PARALLELISM": "false",
            "HF_HUB_OFFLINE": "1",
        }


def _end(process: subprocess.Popen[bytes]) -> None:
    """The whole session, so that nothing of one engine runs on beside the next."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()


def _failure(job: Job, reason: str) -> Failure:
    return Failure(job.engine, job.format, job.batch, job.new_tokens, reason)


def _log(action: str, job: Job) -> str:
    return f"{action} {job.engine} {job.format} {job.batch} {job.new_tokens}"


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().split("\n")
    return lines[-1][:200] or f"nothing in {path}"
