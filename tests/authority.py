"""A real time-stamp authority on this machine, `openssl ts` behind HTTP, and authorities that cheat."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

POLICY = "1.2.3.4.1"
CONFIG = f"""
[req]
distinguished_name = name
prompt = no
[name]
CN = placeholder
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
[other]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = critical,codeSigning
[tsa]
default_tsa = tsa_config
[tsa_config]
serial = serial
crypto_device = builtin
signer_cert = signer.pem
certs = chain.pem
signer_key = signer.key
signer_digest = sha256
default_policy = {POLICY}
other_policies = 1.2.3.4.2
digests = sha256, sha384
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
"""


def openssl(folder: Path, *arguments: str, data: bytes | None = None) -> bytes:
    done = subprocess.run(["openssl", *arguments], cwd=folder, input=data, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def make(folder: Path, *, days: tuple[str, str] = ("20200101000000Z", "20400101000000Z"), kind: str = "signer") -> Path:
    """A root, an intermediate and a signer's certificate below `folder`; the root is root.pem."""
    folder.mkdir(parents=True)
    (folder / "tsa.cnf").write_text(CONFIG)
    (folder / "serial").write_text("01\n")
    for name in ("root", "middle", "signer"):
        kinds = ("EC", "-pkeyopt", "ec_paramgen_curve:P-256") if name == "signer" else ("RSA",)
        openssl(folder, "genpkey", "-algorithm", *kinds, "-out", f"{name}.key")
    sign = ("req", "-new", "-config", "tsa.cnf")
    name_of_root = f"/O={folder.name}/CN=Root of a time-stamp authority that tests ask, a long name"
    openssl(folder, *sign, "-x509", "-key", "root.key", "-extensions", "ca", "-days", "7300", "-subj",
            name_of_root, "-out", "root.pem")  # fmt: skip
    for name, issuer, part, subject in (("middle", "root", "ca", "Middle"), ("signer", "middle", kind, "Signer")):
        openssl(folder, *sign, "-key", f"{name}.key", "-subj", f"/O={folder.name}/CN={subject}", "-out", f"{name}.csr")
        (folder / f"{issuer}.db").write_text("")
        (folder / f"{issuer}.srl").write_text(f"{int(time.time_ns()):016x}\n")
        (folder / f"{issuer}.cnf").write_text(
            f"[ca]\ndefault_ca = own\n[own]\ndatabase = {issuer}.db\nserial = {issuer}.srl\nnew_certs_dir = .\n"
            f"default_md = sha256\npolicy = any\n[any]\norganizationName = optional\ncommonName = supplied\n"
        )
        valid = days if name == "signer" else ("20200101000000Z", "20400101000000Z")
        openssl(
            folder,
            *("ca", "-batch", "-config", f"{issuer}.cnf", "-cert", f"{issuer}.pem", "-keyfile", f"{issuer}.key"),
            *("-startdate", valid[0], "-enddate", valid[1], "-in", f"{name}.csr", "-out", f"{name}.pem", "-notext"),
            *("-extfile", "tsa.cnf", "-extensions", part),
        )
    # No root, as many authorities do. openssl writes certificates as they come, and DER wants the shorter ones first.
    middle, root = ((folder / f"{name}.pem").read_bytes() for name in ("middle", "root"))
    (folder / "chain.pem").write_bytes(middle)
    (folder / "all.pem").write_bytes(middle + root)
    return folder


def reply(folder: Path, request: bytes, policy: str = "", chain: str = "chain") -> bytes:
    """What the authority in `folder` answers to a request; with the chain `all`, its root is in the token."""
    (folder / "request.tsq").write_bytes(request)
    more = ("-tspolicy", policy) if policy else ()
    more = (*more, "-chain", f"{chain}.pem", "-queryfile", "request.tsq")
    openssl(folder, "ts", "-reply", "-config", "tsa.cnf", *more, "-out", "reply.tsr")
    return (folder / "reply.tsr").read_bytes()


@dataclass
class Server:
    """`answer` makes the body from the request's; `asked` are the bodies that came."""

    url: str = ""
    answer: Callable[[bytes], bytes] = bytes
    status: int = 200
    seconds: float = 0
    asked: list[bytes] = field(default_factory=list)


@contextmanager
def serving(answer: Callable[[bytes], bytes]) -> Iterator[Server]:
    told = Server(answer=answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.asked.append(body)
            time.sleep(told.seconds)
            made = told.answer(body)
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(made)))
            self.end_headers()
            self.wfile.write(made)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()
